use super::*;
use crate::flow::ReloadError;
use crate::testing::{Act, eventually};
use serde_json::json;

fn spec_of(line: &Line, setting: &str) -> FlowSpec {
    let mut spec = flow(vec![
        stage("in", "source", &line.source, &[]),
        stage("out", "sink", &line.sink, &["in"]),
    ]);
    spec.stages[1].config["setting"] = json!(setting);
    spec
}

#[test]
fn changed_stage_is_replaced_and_the_others_are_not_touched() {
    let line = line();
    line.sink.act(|_| Act::Keep);
    let batch = line.source.send(&["a"]);
    eventually("in hand", || line.sink.seen().len() == 1);
    let report = line.flow.reload(spec_of(&line, "new")).unwrap();
    assert_eq!(
        (report.changed, report.unchanged),
        (vec!["out".to_owned()], vec!["in".to_owned()])
    );
    assert!(batch.is_done(), "drained before it was replaced");
    line.sink.act(|_| Act::Done);
    let second = line.source.send(&["b"]);
    eventually("done", || second.is_done());
    assert_eq!(line.source.calls(), ["open", "start"]);
    assert_eq!(
        line.sink.calls(),
        ["open", "start", "drain", "close", "open new", "start"]
    );
    assert_eq!(line.sink.seen(), ["a", "b"]);
    line.end();
}

#[test]
fn what_is_queued_while_a_stage_is_replaced_waits_for_the_new_one() {
    let line = line_with(|spec| spec.stages[1].buffer.messages = 4);
    let source = line.source.clone();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            (0..300)
                .map(|n| source.send(&[n.to_string()]))
                .collect::<Vec<_>>()
        });
        for round in 0..5 {
            let mut spec = spec_of(&line, &round.to_string());
            spec.stages[1].buffer.messages = 4;
            line.flow.reload(spec).unwrap();
        }
        let batches = sender.join().unwrap();
        eventually("done", || {
            batches
                .iter()
                .all(|batch| batch.is_done() && batch.is_freed())
        });
    });
    assert_eq!(line.sink.seen(), numbers(0..300));
    line.end();
}

#[test]
fn settings_that_do_not_open_are_taken_back() {
    let line = line();
    line.sink.on_open(|config| {
        if config["setting"] == "bad" {
            Err("no such topic".into())
        } else {
            Ok(())
        }
    });
    let error = line.flow.reload(spec_of(&line, "bad")).unwrap_err();
    assert!(
        matches!(&error, ReloadError::Stage { stage, error, .. } if stage == "out" && error == "no such topic")
    );
    eventually("running again", || line.flow.is_open());
    let batch = line.source.send(&["a"]);
    eventually("done", || batch.is_done());
    assert_eq!(line.sink.calls().last().unwrap(), "start");
    line.end();
}

#[test]
fn source_is_replaced_after_all_that_it_sent_is_settled() {
    let line = line();
    line.sink.act(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Act::Done
    });
    let batch = line.source.send(&["a", "b", "c"]);
    let mut spec = spec_of(&line, "");
    spec.stages[1].config = json!({ "bench": line.sink.id });
    spec.stages[0].config["setting"] = json!("other");
    line.flow.reload(spec).unwrap();
    assert!(batch.is_done());
    let batch = line.source.send(&["d"]);
    eventually("done", || batch.is_done());
    line.end();
}

#[test]
fn other_structure_builds_the_whole_flow_anew() {
    let line = line();
    let batch = line.source.send(&["a"]);
    let (filter, mut spec) = (Bench::new("filter"), spec_of(&line, ""));
    spec.stages
        .insert(1, stage("change", "filter", &filter, &["in"]));
    spec.stages[2].from = vec!["change".into()];
    let report = line.flow.reload(spec).unwrap();
    assert!(report.rebuilt && batch.is_done());
    let batch = line.source.send(&["b"]);
    eventually("done", || batch.is_done());
    assert_eq!(filter.seen(), ["b"]);
    line.end();
}

#[test]
fn structure_that_cannot_be_built_leaves_the_old_flow_running() {
    let line = line();
    let mut spec = spec_of(&line, "");
    spec.stages[1].from = vec!["nobody".into()];
    let error = line.flow.reload(spec).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unknown stage `nobody` in `from`"),
        "{error}"
    );
    let batch = line.source.send(&["a"]);
    eventually("done", || batch.is_done());
    line.end();
}
