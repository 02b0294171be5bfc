//! Opening, draining and closing in every order that a host may choose.

use super::Checked;
use crate::host::Event;
use crate::instance::{Instance, Opening};
use crate::subject::{Role, Subject};
use crate::violations::{expect, note};
use pipeline_abi::*;

/// It opens, says so, starts and closes.
pub(super) fn opens(subject: &Subject) -> Checked {
    Instance::running(subject, &Opening::of(subject))?.close()?;
    Ok(())
}

/// Too few and too many ports: refused, failed or ignored, but closed in order.
pub(super) fn bears_wrong_ports(subject: &Subject) -> Checked {
    for (inputs, outputs) in [(0, 0), (1, 0), (0, 1), (3, 1)] {
        let opening = Opening {
            inputs,
            outputs,
            ..Opening::of(subject)
        };
        if let Ok(instance) = Instance::open(subject, &opening) {
            // What it says of itself does not matter here.
            let _ = instance.wait(PL_EVENT_OPENED);
            instance.close()?;
        }
    }
    Ok(())
}

/// `close` is allowed in READY.
pub(super) fn closes_without_start(subject: &Subject) -> Checked {
    Instance::ready(subject, &Opening::of(subject))?.close()?;
    Ok(())
}

/// `close` is allowed in OPENING.
pub(super) fn closes_while_opening(subject: &Subject) -> Checked {
    for _ in 0..10 {
        Instance::open(subject, &Opening::of(subject))?.close()?;
    }
    Ok(())
}

/// `close` is allowed in DRAINING.
pub(super) fn closes_while_draining(subject: &Subject) -> Checked {
    for _ in 0..5 {
        let instance = Instance::running(subject, &Opening::of(subject))?;
        instance.drain()?;
        instance.close()?;
    }
    Ok(())
}

/// OPENED first, DRAINED once and only when asked, nothing after `close`.
pub(super) fn tells_events_in_order(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    let before_drain = instance.events();
    expect(!told(&before_drain, PL_EVENT_DRAINED), || {
        "it has drained before it was asked to".to_owned()
    });
    instance.drain()?;
    instance.wait(PL_EVENT_DRAINED)?;
    let events = instance.close()?.events();
    let main: Vec<u32> = events
        .iter()
        .map(|event| event.event)
        .filter(|&event| event != PL_EVENT_HEALTH)
        .collect();
    let allowed = [
        PL_EVENT_OPENED,
        PL_EVENT_FINISHED,
        PL_EVENT_DRAINED,
        PL_EVENT_CLOSED,
    ];
    // Each at most once and in this order: what is left of the allowed ones shrinks.
    let mut left = allowed.iter();
    expect(
        main.iter().all(|event| left.any(|next| next == event)),
        || format!("it told the events {main:?}"),
    );
    let source = subject.kind.role == Role::Source;
    expect(source || !told(&events, PL_EVENT_FINISHED), || {
        "it is no source and has finished".to_owned()
    });
    for event in events.iter().filter(|event| event.event == PL_EVENT_HEALTH) {
        check_health(event);
    }
    Ok(())
}

fn told(events: &[Event], wanted: u32) -> bool {
    events.iter().any(|event| event.event == wanted)
}

fn check_health(event: &Event) {
    match event.status {
        PL_HEALTH_READY => {}
        PL_HEALTH_DEGRADED => expect(!event.text.is_empty(), || {
            "it is degraded and does not say why".to_owned()
        }),
        other => note(format!("there is no health {other}")),
    }
}

/// Two instances are independent.
pub(super) fn runs_twice_at_a_time(subject: &Subject) -> Checked {
    let first = Instance::running(subject, &Opening::of(subject))?;
    let second = Instance::running(subject, &Opening::of(subject))?;
    first.close()?;
    second.drain()?;
    second.wait(PL_EVENT_DRAINED)?;
    second.close()?;
    Ok(())
}

/// Notifies without reason, at any time, also after `close`, do no harm.
pub(super) fn bears_late_notifies(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    let ports = [&*instance.inputs, &*instance.outputs].concat();
    let spurious = std::thread::spawn(move || {
        for _ in 0..1000 {
            ports.iter().for_each(|port| port.notify());
        }
    });
    spurious.join().map_err(|_| "a notify panicked")?;
    let closed = instance.close()?;
    closed.notify_late();
    // What reuses the memory of the first one must not mind them either.
    let next = Instance::running(subject, &Opening::of(subject))?;
    closed.notify_late();
    next.close()?;
    closed.notify_late();
    Ok(())
}
