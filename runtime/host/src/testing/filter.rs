//! The `process` of a fake filter.

use super::batch::{made_with_origin, payloads};
use super::bench::Bench;
use pipeline_abi::{PL_OK, PlBatch, PlFiltered, PlReject, PlStr};

/// Answers as the test says.
pub(super) unsafe fn process(bench: &Bench, input: *const PlBatch, out: *mut PlFiltered) -> i32 {
    let input = payloads(input);
    bench.seen.lock().extend(input.iter().cloned());
    let (outputs, rejects) = match (bench.processing.lock())(&input) {
        Ok(answer) => answer,
        Err(status) => {
            bench.seen.lock().push("!".into());
            return status;
        }
    };
    // SAFETY: the host's structure, for this call.
    let out = unsafe { &mut *out };
    if !outputs.is_empty() {
        let (origin, texts): (Vec<u32>, Vec<String>) = outputs.into_iter().unzip();
        let (batch, _, origin) = made_with_origin(&texts, origin);
        (out.batch, out.origin) = (batch, origin);
    }
    let reject = |(index, why): (u32, &'static str)| PlReject {
        index,
        reserved: 0,
        why: PlStr::new(why.as_bytes()),
    };
    let rejects: Vec<PlReject> = rejects.into_iter().map(reject).collect();
    out.n_rejects = rejects.len() as u32;
    // Valid until the next call: leaked, which a test can afford.
    out.rejects = rejects.leak().as_ptr();
    PL_OK
}
