//! The headers, their Rust twin and `layout.in`: nothing is in one and not in the others.
//!
//! That sizes, offsets and values agree is asserted when pipeline-abi is built; here it is that none was forgotten.

use pipeline_testkit::repository;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names of structures, of their fields (`PlMsg.key`), and of constants.
type Names = BTreeSet<String>;

fn abi() -> PathBuf {
    repository().join("runtime/abi")
}

/// The text of all files with this extension in a folder, by path.
fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(abi().join(folder)).expect("read the folder");
    entries
        .map(|entry| entry.expect("read the folder").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            (
                path.clone(),
                fs::read_to_string(path).expect("read the file"),
            )
        })
        .collect()
}

/// What `layout.in` lists.
fn listed() -> Names {
    let table = fs::read_to_string(abi().join("layout.in")).expect("read layout.in");
    let line = |line: &str| {
        let (kind, rest) = line.split_once('(')?;
        let words: Vec<&str> = rest.split([',', ')']).map(str::trim).collect();
        Some(if kind == "PL_FIELD" {
            format!("{}.{}", words[0], words[1])
        } else {
            words[0].to_owned()
        })
    };
    table
        .lines()
        .filter(|line| line.starts_with("PL_"))
        .filter_map(line)
        .collect()
}

/// What the Rust twin defines. An opaque type has no layout.
fn in_rust() -> Names {
    let mut names = Names::new();
    for (_, text) in files("src", "rs") {
        let mut current = String::new();
        for line in text.lines() {
            let words: Vec<&str> = line
                .split([' ', ':', '{'])
                .filter(|word| !word.is_empty())
                .collect();
            match words.as_slice() {
                ["pub", "struct", name, ..] => current = (*name).to_owned(),
                ["pub", "const", name, ..] if name.starts_with("PL_") => {
                    names.extend([(*name).to_owned()])
                }
                ["pub", field, ..]
                    if line.starts_with("    pub ")
                        && !matches!(*field, "const" | "unsafe" | "fn") =>
                {
                    names.insert(current.clone());
                    names.insert(format!("{current}.{field}"));
                }
                _ => {}
            }
        }
    }
    names
}

/// What the headers define: structures by their closing line, fields by their last word, constants by their prefix.
fn in_headers() -> Names {
    let mut names = Names::new();
    for (_, text) in files("include/pipeline", "h") {
        for body in structures(&without_comments(&text)) {
            let (name, fields) = body;
            names.extend(fields.iter().map(|field| format!("{name}.{field}")));
            names.insert(name);
        }
        names.extend(constants(&without_comments(&text)));
    }
    names
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").expect("the end of a comment").1;
    }
    code + rest
}

fn structures(code: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in code.split("struct ").skip(1) {
        let Some((name, body)) = part.split_once('{') else {
            continue;
        };
        let name = name.trim();
        if name.chars().all(char::is_alphanumeric) {
            let body = body.split_once('}').expect("the end of a structure").0;
            let fields = body
                .split(';')
                .map(str::trim)
                .filter(|field| !field.is_empty());
            found.push((name.to_owned(), fields.flat_map(field_names).collect()));
        }
    }
    found
}

/// `uint32_t n_msgs`, `uint8_t trace_id[16]`, `void (*release)(const PlBatch *batch)`.
fn field_names(declaration: &str) -> Option<String> {
    let declarator = match declaration.split_once("(*") {
        Some((_, function)) => function.split_once(')')?.0,
        None => declaration.split('[').next()?.rsplit([' ', '*']).next()?,
    };
    Some(declarator.to_owned())
}

/// Members of enumerations, and macros with a value that the layout lists.
fn constants(code: &str) -> Names {
    let macros = [
        "PL_BATCH_MAX",
        "PL_ABI_MAJOR",
        "PL_ABI_MINOR",
        "PL_MAGIC",
        "PL_ENTRY_SYMBOL",
        "PL_GAUGE_ABSENT",
    ];
    let named = |line: &str| {
        let words: Vec<&str> = line
            .split([' ', '=', ','])
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            ["#define", name, ..] if macros.contains(name) => Some((*name).to_owned()),
            [name, ..] if name.starts_with("PL_") && line.contains('=') => Some((*name).to_owned()),
            _ => None,
        }
    };
    code.lines().filter_map(named).collect()
}

#[test]
fn the_layout_lists_all_that_the_rust_twin_defines() {
    assert_eq!(
        listed()
            .symmetric_difference(&in_rust())
            .collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn the_layout_lists_all_that_the_headers_define() {
    assert_eq!(
        listed()
            .symmetric_difference(&in_headers())
            .collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn each_header_compiles_alone_as_c11_and_as_cpp17() {
    for (header, _) in files("include/pipeline", "h") {
        for (compiler, language, standard) in
            [("cc", "c", "-std=c11"), ("c++", "c++", "-std=c++17")]
        {
            let status = Command::new(compiler)
                .args([
                    standard,
                    "-Wall",
                    "-Wextra",
                    "-Wpedantic",
                    "-Wconversion",
                    "-Werror",
                    "-fsyntax-only",
                ])
                .args(["-x", language, "-include"])
                .arg(&header)
                .arg("/dev/null")
                .stdin(Stdio::null())
                .status()
                .expect("start the compiler");
            assert!(status.success(), "{} as {standard}", header.display());
        }
    }
}
