//! The checks, in the order in which they are run: each stands on what the ones before have shown.

mod description;
mod filter;
mod leaks;
mod life;
mod messages;
mod settings;

use crate::report::Report;
use crate::subject::{Role, Subject};
use crate::violations;
use std::sync::mpsc;
use std::time::Duration;

/// What came of a check.
pub(crate) enum Verdict {
    /// The plugin keeps the rule.
    Passed,
    /// The rule cannot be seen with what the check was given.
    Skipped(String),
    /// How the plugin breaks the rule.
    Failed(String),
}

/// What a check answers: an error is how the rule was broken.
type Checked = Result<(), String>;

/// One rule.
struct Check {
    name: &'static str,
    roles: &'static [Role],
    run: fn(&Subject) -> Checked,
}

const ANY: &[Role] = &[Role::Source, Role::Filter, Role::Sink];
const THREADED: &[Role] = &[Role::Source, Role::Sink];

const fn check(name: &'static str, roles: &'static [Role], run: fn(&Subject) -> Checked) -> Check {
    Check { name, roles, run }
}

/// More than any check takes; one that hangs would otherwise say nothing.
const LONGEST: Duration = Duration::from_secs(60);

const OF_THE_DESCRIPTION: &[Check] = &[
    check(
        "describes its stages",
        ANY,
        description::describes_its_stages,
    ),
    check(
        "answers `validate` for any settings",
        ANY,
        settings::answers_validate,
    ),
    check(
        "keeps to the buffer that it is given",
        ANY,
        settings::keeps_to_the_buffer,
    ),
    check(
        "answers several threads at once",
        ANY,
        settings::answers_several_threads,
    ),
];

/// What all others stand on.
const OPENS: Check = check("opens", ANY, life::opens);

const OF_INSTANCES: &[Check] = &[
    check(
        "bears settings that were not checked",
        ANY,
        settings::bears_unchecked_settings,
    ),
    check(
        "bears ports that it did not ask for",
        ANY,
        life::bears_wrong_ports,
    ),
    check("closes without `start`", ANY, life::closes_without_start),
    check("closes while it opens", ANY, life::closes_while_opening),
    check("closes while it drains", ANY, life::closes_while_draining),
    check(
        "tells its events in order",
        ANY,
        life::tells_events_in_order,
    ),
    check("runs twice at a time", ANY, life::runs_twice_at_a_time),
    check(
        "bears late and spurious notifies",
        THREADED,
        life::bears_late_notifies,
    ),
    check(
        "waits to be notified",
        THREADED,
        messages::waits_to_be_notified,
    ),
    check(
        "gives back what it holds",
        &[Role::Sink],
        messages::gives_back_what_it_holds,
    ),
    check("joins its threads", ANY, leaks::joins_its_threads),
    check(
        "opens again and again without a leak",
        ANY,
        leaks::opens_again_and_again,
    ),
];

const OF_DELIVERY: &[Check] = &[
    check(
        "settles each message once",
        &[Role::Sink],
        messages::settles_each_message_once,
    ),
    check(
        "sends what it makes",
        &[Role::Source],
        messages::sends_what_it_makes,
    ),
    check(
        "drains without credit",
        &[Role::Source],
        messages::drains_without_credit,
    ),
    check(
        "maps its output to its input",
        &[Role::Filter],
        filter::maps_output_to_input,
    ),
];

/// Runs all checks that apply.
pub(crate) fn run(subject: &Subject, report: &mut Report) {
    run_all(OF_THE_DESCRIPTION, subject, report);
    if let Err(why) = settings::can_be_opened(subject) {
        report.add(
            "opens",
            Verdict::Skipped(format!(
                "not with the settings {} ({why})",
                subject.settings
            )),
        );
        return;
    }
    let opens = run_one(&OPENS, subject);
    let goes_on = matches!(opens, Verdict::Passed);
    report.add(OPENS.name, opens);
    if goes_on {
        run_all(OF_INSTANCES, subject, report);
    }
    if goes_on && subject.delivers {
        run_all(OF_DELIVERY, subject, report);
    }
}

fn run_all(checks: &[Check], subject: &Subject, report: &mut Report) {
    for check in checks {
        if check.roles.contains(&subject.kind.role) {
            report.add(check.name, run_one(check, subject));
        }
    }
}

fn run_one(check: &Check, subject: &Subject) -> Verdict {
    violations::take();
    let outcome = watched(check.name, || (check.run)(subject));
    let broken: Vec<String> = outcome
        .err()
        .into_iter()
        .chain(violations::take())
        .collect();
    if broken.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(broken.join("; "))
    }
}

/// Ends the process when a check does not end.
fn watched<T>(name: &'static str, run: impl FnOnce() -> T) -> T {
    let (ended, watched) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watched.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
            println!("  FAILED   {name}: still running after {LONGEST:?}");
            std::process::exit(1);
        }
    });
    let outcome = run();
    drop(ended);
    watchdog.join().expect("the watchdog only waits");
    outcome
}
