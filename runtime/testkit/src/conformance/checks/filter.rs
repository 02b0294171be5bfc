//! What a filter answers.

use super::Checked;
use super::messages::payload;
use crate::batch::Given;
use crate::instance::{Instance, Opening};
use crate::made;
use crate::subject::Subject;
use crate::violations::{expect, note};
use pipeline_abi::*;

/// Origins are in range and never decrease, rejects are in range, and references are given back.
pub(super) fn maps_output_to_input(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    for count in [1, 2, 100, PL_BATCH_MAX as usize] {
        process_one(&instance, count)?;
    }
    instance.drain()?;
    instance.wait(PL_EVENT_DRAINED)?;
    instance.close()?;
    Ok(())
}

fn process_one(instance: &Instance, count: usize) -> Checked {
    // Every third is no JSON, so that a filter that reads them has something to reject.
    let payloads = (0..count)
        .map(|n| {
            if n % 3 == 2 {
                format!("\"{n}")
            } else {
                payload(n)
            }
        })
        .collect();
    let given = Given::new(payloads, 0);
    let mut out = PlFiltered {
        struct_size: size_of::<PlFiltered>() as u32,
        n_rejects: 0,
        batch: std::ptr::null(),
        origin: std::ptr::null(),
        rejects: std::ptr::null(),
    };
    match instance.process(given.as_ptr(), &mut out)? {
        PL_OK => {}
        PL_AGAIN if count > 1 => return Ok(()),
        other => return Err(format!("`process` answers {other}")),
    }
    check_rejects(&out, count);
    if !out.batch.is_null() {
        check_output(&out, given);
    }
    expect(given.references() == 1, || {
        format!(
            "{} references of the input are held",
            given.references() - 1
        )
    });
    expect(given.settled().iter().all(Option::is_none), || {
        "it settles its input by itself".to_owned()
    });
    Ok(())
}

fn check_rejects(out: &PlFiltered, count: usize) {
    expect(!out.rejects.is_null() || out.n_rejects == 0, || {
        "the rejects are null".to_owned()
    });
    if out.rejects.is_null() {
        return;
    }
    // SAFETY: the filter promises so many until the next call.
    for reject in unsafe { std::slice::from_raw_parts(out.rejects, out.n_rejects as usize) } {
        expect((reject.index as usize) < count, || {
            format!("message {} of {count} is rejected", reject.index)
        });
        // SAFETY: as above.
        expect(!unsafe { reject.why.bytes() }.is_empty(), || {
            "a rejection says no reason".to_owned()
        });
    }
}

fn check_output(out: &PlFiltered, given: &'static Given) {
    // SAFETY: one reference is ours.
    if !unsafe { made::check(out.batch) } {
        return;
    }
    // SAFETY: as above, and its shape is right.
    let (made, messages) = unsafe { (&*out.batch, made::messages(&*out.batch)) };
    check_origins(out, made.n_msgs, given.settled().len());
    for message in messages {
        expect(message.ts_ns == 1_700_000_000_000_000_000, || {
            "the time of a message is lost".to_owned()
        });
        expect(!message.trace.is_null(), || {
            "the trace of a message is lost".to_owned()
        });
        expect(message.flags & PL_MSG_HAS_POSITION != 0, || {
            "the position of a message is lost".to_owned()
        });
    }
    // SAFETY: gives our reference back; the batch is not looked at again.
    unsafe { ((*made.vt).release)(out.batch) };
}

fn check_origins(out: &PlFiltered, outputs: u32, inputs: usize) {
    if out.origin.is_null() {
        return note("the origins are null");
    }
    // SAFETY: one for each message, as long as the batch.
    let origins = unsafe { std::slice::from_raw_parts(out.origin, outputs as usize) };
    expect(origins.is_sorted(), || "the origins decrease".to_owned());
    let in_range = origins.iter().all(|&origin| (origin as usize) < inputs);
    expect(in_range, || {
        format!("an origin is beyond {inputs} messages")
    });
}
