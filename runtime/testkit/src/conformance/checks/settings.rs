//! `validate`, and `open` with settings that are wrong.

use super::Checked;
use crate::instance::{Instance, Opening};
use crate::plugin::Answer;
use crate::subject::Subject;
use crate::violations::{expect, note};
use pipeline_abi::{PL_ERR_INVALID, PL_ERR_PANIC, PL_OK};
use serde::Deserialize;

/// Larger than any list of findings.
const ROOM: usize = 64 * 1024;

#[derive(Deserialize)]
struct Finding {
    pointer: String,
    message: String,
}

/// Settings that no stage takes, and texts that are no settings.
fn garbage() -> Vec<Vec<u8>> {
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"surplus":"{}"}}"#, "x".repeat(1 << 20));
    let texts = [
        "",
        " ",
        "{",
        "[]",
        "null",
        "1e999",
        r#"{"surplus":1}"#,
        r#"{"":{"":[]}}"#,
        r#""\ud800""#,
        &deep,
        &long,
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.extend([b"\xff\xfe{}".to_vec(), b"{\"a\0b\":1}".to_vec()]);
    all
}

/// Whether the settings that the check was given are acceptable.
pub(super) fn can_be_opened(subject: &Subject) -> Checked {
    let answer = validate(subject, subject.settings.as_bytes());
    if answer.status == PL_OK {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&answer.text).into_owned())
    }
}

fn validate(subject: &Subject, settings: &[u8]) -> Answer {
    subject.plugin.validate(&subject.kind.kind, settings, ROOM)
}

/// It answers `{}` and garbage with a status and, if invalid, with findings that can be shown.
pub(super) fn answers_validate(subject: &Subject) -> Checked {
    for settings in garbage()
        .iter()
        .map(Vec::as_slice)
        .chain([b"{}".as_slice(), subject.settings.as_bytes()])
    {
        check_answer(&validate(subject, settings), settings);
    }
    let answer = subject.plugin.validate("no-such-kind", b"{}", ROOM);
    expect(answer.status != PL_ERR_PANIC, || {
        "an unknown kind panics".to_owned()
    });
    Ok(())
}

fn check_answer(answer: &Answer, settings: &[u8]) {
    let shown = String::from_utf8_lossy(&settings[..settings.len().min(40)]);
    expect(answer.status <= PL_OK, || {
        format!("`validate` answers {} for `{shown}`", answer.status)
    });
    expect(answer.status != PL_ERR_PANIC, || {
        format!("`validate` panics for `{shown}`")
    });
    if answer.status != PL_ERR_INVALID {
        return;
    }
    match serde_json::from_slice::<Vec<Finding>>(&answer.text) {
        Err(error) => note(format!(
            "the findings for `{shown}` cannot be read: {error}"
        )),
        Ok(findings) => {
            expect(!findings.is_empty(), || {
                format!("`{shown}` is invalid without a finding")
            });
            for finding in findings {
                let pointer = &finding.pointer;
                expect(pointer.is_empty() || pointer.starts_with('/'), || {
                    format!("`{pointer}` is no JSON pointer")
                });
                expect(!finding.message.is_empty(), || {
                    format!("a finding for `{shown}` has no message")
                });
            }
        }
    }
}

/// A small buffer is filled, not overrun, and the whole length told.
pub(super) fn keeps_to_the_buffer(subject: &Subject) -> Checked {
    let settings = br#"{"surplus":1}"#;
    let whole = validate(subject, settings);
    for cap in [0, 1, 3, whole.text.len()] {
        let answer = subject.plugin.validate(&subject.kind.kind, settings, cap);
        expect(!answer.overran, || {
            format!("`validate` wrote beyond a buffer of {cap} bytes")
        });
        expect(answer.len == whole.len, || {
            format!(
                "with room for {cap} bytes it tells a length of {}, else {}",
                answer.len, whole.len
            )
        });
        expect(whole.text.starts_with(&answer.text), || {
            format!("with room for {cap} bytes it answers another text")
        });
    }
    Ok(())
}

/// `validate` may run on several threads.
pub(super) fn answers_several_threads(subject: &Subject) -> Checked {
    let (plugin, kind, settings) = (
        subject.plugin,
        subject.kind.kind.as_str(),
        subject.settings.as_bytes(),
    );
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(move || {
                for _ in 0..100 {
                    let answer = plugin.validate(kind, settings, ROOM);
                    expect(answer.status != PL_ERR_PANIC, || {
                        "`validate` panics on several threads".to_owned()
                    });
                }
            });
        }
    });
    Ok(())
}

/// Settings that passed no check, as from a host with a bug: refused, failed or opened, but closed in order.
pub(super) fn bears_unchecked_settings(subject: &Subject) -> Checked {
    for settings in ["", "{", "[]", "nonsense"] {
        let opening = Opening {
            settings,
            ..Opening::of(subject)
        };
        if let Ok(instance) = Instance::open(subject, &opening) {
            // What it says of itself does not matter here.
            let _ = instance.wait(pipeline_abi::PL_EVENT_OPENED);
            instance.close()?;
        }
    }
    Ok(())
}
