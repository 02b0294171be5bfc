//! Wires the stages of a flow: who feeds whom, and whether that makes sense.
//!
//! A stage is fed by the stage above, unless it says `from`, is a source, or is named by an `on_reject`: such a stage takes only
//! rejects wherever it stands, and is passed over when the next stage looks above.

use crate::catalogue::{Role, noun};
use crate::config::fields::Located;
use crate::config::model::{Buffer, OnReject, Stage};
use crate::config::nearest::{expected, nearest};
use crate::config::problem::{Problem, Problems};

/// Fills in `from` and `takes_rejects`, and tells what is wrong. Roles are judged only of a chain that is `complete`.
pub(crate) fn wire(stages: &mut [Stage], complete: bool, problems: &mut Problems) {
    check_names(stages, problems);
    check_references(stages, problems);
    mark_reject_takers(stages);
    feed_from_above(stages);
    let known = complete && stages.iter().all(|stage| stage.info.is_some());
    for stage in stages.iter() {
        check_reject_taker(stage, stages, problems);
        if known {
            check_inputs(stage, problems);
            check_outputs(stage, stages, problems);
        }
    }
    check_cycles(stages, problems);
}

fn check_names(stages: &[Stage], problems: &mut Problems) {
    for (index, stage) in stages.iter().enumerate() {
        if stages[..index]
            .iter()
            .any(|above| above.name.value == stage.name.value)
        {
            let words = "name is taken by a stage above (expected a `name` of its own)";
            problems.push(Problem::new(stage.name.span, words).of_stage(&stage.name.value));
        }
    }
}

fn check_references(stages: &[Stage], problems: &mut Problems) {
    let names = || stages.iter().map(|stage| stage.name.value.as_str());
    for stage in stages {
        let own = stage.name.value.as_str();
        let reject = match &stage.on_reject.value {
            OnReject::To(to) => Some(("on_reject", Located::new(to.clone(), stage.on_reject.span))),
            _ => None,
        };
        let from = stage.from.iter().map(|from| ("from", from.clone()));
        for (key, target) in from.chain(reject) {
            if target.value == own {
                let words = format!("`{key}` names the stage itself (expected another stage)");
                problems.push(Problem::new(target.span, words).of_stage(own));
            } else if !names().any(|name| name == target.value) {
                let others = || names().filter(|name| *name != own);
                let words = format!(
                    "`{key}` names `{}`, which is no stage of this flow ({})",
                    target.value,
                    expected(&target.value, others())
                );
                problems.push(
                    Problem::new(target.span, words)
                        .near(nearest(&target.value, others()))
                        .of_stage(own),
                );
            }
        }
        for (index, from) in stage.from.iter().enumerate() {
            if stage.from[..index]
                .iter()
                .any(|before| before.value == from.value)
            {
                let words = format!(
                    "`from` names `{}` twice (expected each stage once)",
                    from.value
                );
                problems.push(Problem::new(from.span, words).of_stage(own));
            }
        }
    }
}

fn mark_reject_takers(stages: &mut [Stage]) {
    let named: Vec<String> = stages
        .iter()
        .filter_map(|stage| match &stage.on_reject.value {
            OnReject::To(to) if *to != stage.name.value => Some(to.clone()),
            _ => None,
        })
        .collect();
    for stage in stages {
        stage.takes_rejects = named.contains(&stage.name.value);
    }
}

fn feed_from_above(stages: &mut [Stage]) {
    let mut above: Option<String> = None;
    for stage in stages {
        let is_source = role(stage) == Some(Role::Source);
        if let (false, false, false, Some(above)) = (
            stage.from_is_explicit,
            stage.takes_rejects,
            is_source,
            &above,
        ) {
            stage.from = vec![Located::new(above.clone(), stage.kind.span)];
        }
        if !stage.takes_rejects {
            above = Some(stage.name.value.clone());
        }
    }
}

fn role(stage: &Stage) -> Option<Role> {
    stage.info.as_ref().map(|info| info.role)
}

fn check_reject_taker(stage: &Stage, stages: &[Stage], problems: &mut Problems) {
    let name = &stage.name.value;
    if let (OnReject::To(_) | OnReject::Stop, Some(Role::Source)) =
        (&stage.on_reject.value, role(stage))
    {
        let words =
            "`on_reject` on a source, which rejects nothing (expected it on a filter or a sink)";
        problems.push(Problem::new(stage.on_reject.span, words).of_stage(name));
    }
    if !stage.takes_rejects {
        return;
    }
    if let Some(from) = stage.from.first().filter(|_| stage.from_is_explicit) {
        let words = "`from` on a stage that is named by an `on_reject` (expected none: it takes only rejects)";
        problems.push(Problem::new(from.span, words).of_stage(name));
    }
    if let Some(role) = role(stage).filter(|role| *role != Role::Sink) {
        let words = format!(
            "named by an `on_reject` but is {} (expected a sink)",
            noun(role)
        );
        problems.push(Problem::new(stage.kind.span, words).of_stage(name));
    }
    if stage.info.as_ref().is_some_and(|info| info.max_inputs == 0) {
        problems.push(
            Problem::new(
                stage.kind.span,
                "named by an `on_reject` but takes no input",
            )
            .of_stage(name),
        );
    }
    for taker in stages {
        for from in taker
            .from
            .iter()
            .filter(|from| from.value == *name && taker.from_is_explicit)
        {
            let words =
                format!("`from` names `{name}`, which takes only rejects and passes nothing on");
            problems.push(Problem::new(from.span, words).of_stage(&taker.name.value));
        }
    }
}

fn check_inputs(stage: &Stage, problems: &mut Problems) {
    let Some(info) = stage.info.as_ref().filter(|_| !stage.takes_rejects) else {
        return;
    };
    let inputs = u32::try_from(stage.from.len()).unwrap_or(u32::MAX);
    let span = stage.from.first().map_or(stage.kind.span, |from| from.span);
    let mut tell =
        |span, words: String| problems.push(Problem::new(span, words).of_stage(&stage.name.value));
    if info.role == Role::Source && inputs > 0 {
        tell(
            span,
            "`from` on a source, which takes no input (expected a filter or a sink)".to_owned(),
        );
    } else if inputs == 0 && info.min_inputs > 0 {
        let noun = noun(info.role);
        tell(
            stage.kind.span,
            format!("{noun} without an input (expected a source above it, or `from`)"),
        );
    } else if inputs < info.min_inputs {
        tell(
            span,
            format!("{inputs} inputs (expected at least {})", info.min_inputs),
        );
    } else if inputs > info.max_inputs {
        tell(
            span,
            format!("{inputs} inputs (expected at most {})", info.max_inputs),
        );
    }
    if inputs == 0 && stage.buffer.value != Buffer::default() {
        tell(
            stage.buffer.span,
            "`buffer` on a stage without an input (expected it on the stage that is fed)"
                .to_owned(),
        );
    }
}

fn check_outputs(stage: &Stage, stages: &[Stage], problems: &mut Problems) {
    let Some(role) = role(stage).filter(|role| *role != Role::Sink) else {
        return;
    };
    let feeds = |taker: &Stage| taker.from.iter().any(|from| from.value == stage.name.value);
    if !stages.iter().any(feeds) {
        let words = format!(
            "{} whose messages no stage takes (expected a stage below it)",
            noun(role)
        );
        problems.push(Problem::new(stage.kind.span, words).of_stage(&stage.name.value));
    }
}

/// Tells one problem for each stage that reaches itself, unless it does so by naming itself.
fn check_cycles(stages: &[Stage], problems: &mut Problems) {
    for (start, stage) in stages.iter().enumerate() {
        let Some(way) = way_back(stages, start).filter(|way| way.len() > 1) else {
            continue;
        };
        // Each cycle is told once: at the stage that stands highest.
        if way.iter().any(|&index| index < start) {
            continue;
        }
        let names: Vec<_> = way
            .iter()
            .chain([&start])
            .map(|&index| format!("`{}`", stages[index].name.value))
            .collect();
        let words = format!(
            "goes round in a circle: {} (expected a chain that ends)",
            names.join(" → ")
        );
        problems.push(Problem::new(stage.name.span, words).of_stage(&stage.name.value));
    }
}

/// The stages on a way from `start` back to it.
fn way_back(stages: &[Stage], start: usize) -> Option<Vec<usize>> {
    let mut came_from = vec![None; stages.len()];
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for next in next_stages(stages, at) {
            if next == start {
                let mut way: Vec<_> =
                    std::iter::successors(Some(at), |&index| came_from[index]).collect();
                way.reverse();
                return Some(way);
            }
            if came_from[next].is_none() {
                came_from[next] = Some(at);
                open.push(next);
            }
        }
    }
    None
}

fn next_stages(stages: &[Stage], at: usize) -> impl Iterator<Item = usize> {
    let this = &stages[at];
    stages.iter().enumerate().filter_map(move |(index, taker)| {
        let fed = taker.from.iter().any(|from| from.value == this.name.value);
        let rejects = this.on_reject.value == OnReject::To(taker.name.value.clone());
        (fed || rejects).then_some(index)
    })
}
