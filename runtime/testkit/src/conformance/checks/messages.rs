//! Messages through ports: settling, credit, and references.

use super::Checked;
use crate::batch::Given;
use crate::instance::{Instance, Opening, PATIENCE};
use crate::subject::Subject;
use crate::violations::expect;
use pipeline_abi::*;
use std::time::{Duration, Instant};

/// A trade, which every stage of messages can read.
pub(super) fn payload(number: usize) -> String {
    format!(
        r#"{{"venue":"conformance","symbol":"BTC","price":"1.5","size":"2","side":"buy","trade_id":"{number}","traded_at":1700000000000}}"#
    )
}

fn batches(count: usize, messages: usize) -> Vec<&'static Given> {
    let one = |number| {
        Given::new(
            (0..messages).map(payload).collect(),
            (number * messages) as i64,
        )
    };
    (0..count).map(one).collect()
}

fn until(what: &str, mut held: impl FnMut() -> bool) -> Checked {
    let begun = Instant::now();
    while !held() {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{what} within {PATIENCE:?}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A sink that can deliver settles all it is given, each message once, and gives every reference back.
pub(super) fn settles_each_message_once(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    let given = batches(50, 20);
    for (number, batch) in given.iter().enumerate() {
        instance.inputs[number % instance.inputs.len()].push(batch.as_ptr());
    }
    until("not all messages were settled", || {
        given
            .iter()
            .all(|batch| batch.settled().iter().all(Option::is_some))
    })?;
    let last = batches(1, 1)[0];
    instance.inputs[0].push(last.as_ptr());
    instance.drain()?;
    instance.wait(PL_EVENT_DRAINED)?;
    expect(last.settled()[0].is_some(), || {
        "it has drained and not settled what its port held".to_owned()
    });
    instance.close()?;
    let held: usize = given.iter().map(|batch| batch.references()).sum();
    expect(held == 0, || {
        format!("{held} references were never given back")
    });
    Ok(())
}

/// After `close` a sink holds nothing, delivered or not.
pub(super) fn gives_back_what_it_holds(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    let given = batches(8, 4);
    for batch in &given {
        instance.inputs[0].push(batch.as_ptr());
    }
    // Some are with the sink by now, some in the port.
    std::thread::sleep(Duration::from_millis(20));
    instance.close()?;
    let held: usize = given.iter().map(|batch| batch.references()).sum();
    expect(held == 0, || {
        format!("{held} references were never given back")
    });
    Ok(())
}

/// A port that is armed is left alone until it notifies.
pub(super) fn waits_to_be_notified(subject: &Subject) -> Checked {
    const MANY: u64 = 100;
    let instance = Instance::running(
        subject,
        &Opening {
            credit: 0,
            ..Opening::of(subject)
        },
    )?;
    std::thread::sleep(Duration::from_millis(300));
    for port in instance.inputs.iter().chain(&instance.outputs) {
        expect(port.calls() < MANY, || {
            format!("an armed port was called {} times in 300 ms", port.calls())
        });
    }
    instance.close()?;
    Ok(())
}

/// A source that can works through its credit, goes on when it gets more, and frees what was released.
pub(super) fn sends_what_it_makes(subject: &Subject) -> Checked {
    let instance = Instance::running(
        subject,
        &Opening {
            credit: 1,
            ..Opening::of(subject)
        },
    )?;
    let output = *instance.outputs.first().ok_or("it has no output")?;
    let mut sent = Vec::new();
    until("no batch was sent", || take_into(output, &mut sent) >= 1)?;
    output.give_credit(2);
    until("nothing was sent after it got more credit", || {
        take_into(output, &mut sent) >= 3
    })?;
    expect(sent.len() == 3, || {
        format!("with credit for 3 it sent {} batches", sent.len())
    });
    settle_and_release(&sent);
    instance.drain()?;
    output.give_credit(usize::MAX - 3);
    instance.wait(PL_EVENT_DRAINED)?;
    let mut rest = Vec::new();
    take_into(output, &mut rest);
    settle_and_release(&rest);
    instance.close()?;
    Ok(())
}

fn take_into(port: &'static crate::port::Port, sent: &mut Vec<*const PlBatch>) -> usize {
    sent.extend(port.take());
    sent.len()
}

/// Settles message by message, last one first, as sinks may.
fn settle_and_release(sent: &[*const PlBatch]) {
    for &sent in sent {
        // SAFETY: the reference moved to us with `send`; after `release` the batch is not looked at.
        unsafe {
            for index in (0..(*sent).n_msgs).rev() {
                ((*(*sent).vt).done)(sent, index, 1);
            }
            ((*(*sent).vt).retain)(sent);
            ((*(*sent).vt).release)(sent);
            ((*(*sent).vt).release)(sent);
        }
    }
}

/// A source that waits for credit, and will not get any, can be closed and drained all the same.
pub(super) fn drains_without_credit(subject: &Subject) -> Checked {
    let instance = Instance::running(
        subject,
        &Opening {
            credit: 0,
            ..Opening::of(subject)
        },
    )?;
    let output = *instance.outputs.first().ok_or("it has no output")?;
    until("it never tried to send", || output.calls() > 0)?;
    instance.drain()?;
    // What waits for credit is either given up or sent once there is some.
    output.give_credit(1);
    instance.wait(PL_EVENT_DRAINED)?;
    settle_and_release(&output.take());
    instance.close()?;
    Ok(())
}
