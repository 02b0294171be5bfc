//! The status of a process as a table.

use serde_json::Value as Json;
use std::fmt::Write;
use std::time::Duration;

const COLUMNS: usize = 10;
const HEAD: [&str; COLUMNS] = [
    "FLOW", "STAGE", "STATE", "MSG/S", "MESSAGES", "WAITING", "LAG", "REJECTED", "RESTARTS",
    "HEALTH",
];

/// Draws a process from two answers and the time between them.
pub(super) fn draw(before: &Json, now: &Json, between: Duration) -> String {
    let mut text = headline(now);
    let mut rows = vec![HEAD.map(str::to_owned)];
    for flow in list(&now["flows"]) {
        let earlier = list(&before["flows"])
            .iter()
            .find(|other| other["flow"] == flow["flow"] && other["instance"] == flow["instance"]);
        for (index, stage) in list(&flow["stages"]).iter().enumerate() {
            let earlier = earlier.and_then(|flow| {
                list(&flow["stages"])
                    .iter()
                    .find(|other| other["name"] == stage["name"])
            });
            rows.push(row(flow, stage, earlier, index == 0, between));
        }
    }
    push_rows(&mut text, &rows);
    text
}

fn headline(now: &Json) -> String {
    let files: Vec<_> = list(&now["files"])
        .iter()
        .filter_map(Json::as_str)
        .collect();
    let up = Duration::from_secs(now["uptime_seconds"].as_u64().unwrap_or_default());
    let mut text = format!(
        "{} (pid {}, {} for {})",
        files.join(" "),
        now["pid"],
        word(&now["phase"]),
        humantime::format_duration(up)
    );
    match list(&now["reasons"]) {
        [] => text.push_str(": ready\n"),
        reasons => {
            text.push_str(": not ready\n");
            for reason in reasons {
                let _ = writeln!(text, "  {}", word(reason));
            }
        }
    }
    text
}

fn row(
    flow: &Json,
    stage: &Json,
    earlier: Option<&Json>,
    is_first: bool,
    between: Duration,
) -> [String; COLUMNS] {
    let messages = messages(stage);
    let rate = earlier.map(|earlier| {
        messages.saturating_sub(self::messages(earlier)) as f64 / between.as_secs_f64()
    });
    let waiting: u64 = match stage["unsettled"].as_u64() {
        Some(unsettled) => unsettled,
        None => sum(stage, "unsettled_messages"),
    };
    let health = match (word(&stage["health"]), stage["reason"].as_str()) {
        (health, Some(reason)) => format!("{health}: {reason}"),
        (health, None) => health.to_owned(),
    };
    let name = if is_first {
        format!("{}/{}", word(&flow["flow"]), flow["instance"])
    } else {
        String::new()
    };
    [
        name,
        word(&stage["name"]).to_owned(),
        word(&stage["state"]).to_owned(),
        rate.map(|rate| format!("{rate:.1}")).unwrap_or_default(),
        messages.to_string(),
        waiting.to_string(),
        lag(stage).map(|lag| lag.to_string()).unwrap_or_default(),
        stage["rejected"].to_string(),
        stage["restarts"].to_string(),
        health,
    ]
}

/// Messages that a source sent, a filter took, or a sink delivered.
fn messages(stage: &Json) -> u64 {
    let own = stage["sent"]
        .as_u64()
        .or_else(|| stage["filtered"][0].as_u64());
    own.unwrap_or_else(|| sum(stage, "done"))
}

/// Messages that a source has still to read, if it knows: it says so in its own status document.
fn lag(stage: &Json) -> Option<u64> {
    stage["document"]["lag"].as_u64()
}

fn sum(stage: &Json, counter: &str) -> u64 {
    list(&stage["inputs"])
        .iter()
        .filter_map(|input| input[counter].as_u64())
        .sum()
}

fn push_rows(text: &mut String, rows: &[[String; COLUMNS]]) {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                3..=8 => write!(line, "{cell:>width$}  "),
                _ => write!(line, "{cell:width$}  "),
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(sent: u64, reasons: Json) -> Json {
        json!({
            "files": ["consumer-vm.yaml"], "pid": 7, "phase": "running", "uptime_seconds": 3723, "reasons": reasons,
            "flows": [{"flow": "consumer", "instance": 2, "stages": [
                {"name": "kafka-group-source", "state": "running", "health": "ready", "sent": sent, "unsettled": 40, "rejected": 0, "restarts": 0,
                 "document": {"lag": 7123}},
                {"name": "http-post", "state": "running", "health": "degraded", "reason": "connection refused", "rejected": 1, "restarts": 3,
                 "inputs": [{"done": sent - 40, "unsettled_messages": 40}]}
            ]}]
        })
    }

    #[test]
    fn a_process_is_drawn_with_rates_and_reasons() {
        let reasons = json!(["consumer/2: stage `http-post` is degraded: connection refused"]);
        let drawn = draw(
            &answer(1000, json!([])),
            &answer(1500, reasons),
            Duration::from_secs(2),
        );
        insta::assert_snapshot!(drawn);
    }
}
