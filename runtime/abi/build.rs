//! Turns `layout.in` into assertions for Rust, and compiles the headers with the same table as C11 and as C++17.

use std::{env, fs, path::Path};

fn main() {
    for input in ["layout.in", "include", "layout"] {
        println!("cargo::rerun-if-changed={input}");
    }

    let table = fs::read_to_string("layout.in").expect("read layout.in");
    let assertions: String = table
        .lines()
        .filter(|line| line.starts_with("PL_"))
        .map(rust_assertion)
        .collect();
    let out = env::var("OUT_DIR").expect("OUT_DIR is set by cargo");
    fs::write(Path::new(&out).join("layout.rs"), assertions).expect("write layout.rs");

    check_headers(cc::Build::new().std("c11"), "layout/check.c");
    check_headers(cc::Build::new().cpp(true).std("c++17"), "layout/check.cpp");
}

fn rust_assertion(line: &str) -> String {
    let (macro_name, rest) = line.split_once('(').expect("MACRO(arguments)");
    let arguments: Vec<&str> = rest
        .trim_end()
        .trim_end_matches(')')
        .split(',')
        .map(str::trim)
        .collect();
    let condition = match (macro_name, arguments.as_slice()) {
        ("PL_SIZE", [ty, size, align]) => {
            format!("size_of::<{ty}>() == {size} && align_of::<{ty}>() == {align}")
        }
        ("PL_FIELD", [ty, field, offset]) => format!("offset_of!({ty}, {field}) == {offset}"),
        ("PL_CONST", [name, value]) => format!("{name} as i64 == {value}"),
        ("PL_STRING", [name, text]) => format!("matches!({name}.split_last(), Some((0, b{text})))"),
        _ => panic!("layout.in: cannot read `{line}`"),
    };
    format!("const _: () = assert!({condition});\n")
}

fn check_headers(compiler: &mut cc::Build, file: &str) {
    compiler
        .file(file)
        .include("include")
        .flag("-Wpedantic")
        .warnings_into_errors(true)
        .cargo_metadata(false)
        .compile(&file.replace(['/', '.'], "_"));
}
