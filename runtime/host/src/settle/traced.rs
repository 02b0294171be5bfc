//! What the host does with messages, told in the traces of those that are recorded.
//!
//! Rejects and crashes alone come here: nothing of it is on the way of a message that is delivered.

use super::Rejected;
use crate::batch::View;
use crate::callbacks::{Field, FieldValue, Note};
use crate::edge::now_ns;
use crate::supervise::Seat;
use pipeline_abi::PlTrace;

/// Messages were rejected by the stage at `seat` and go where `route` says: their open spans fail.
pub(super) fn rejected(seat: &Seat, rejected: &Rejected<'_>, route: &str) {
    let fields = [
        text("pipeline.stage", seat.name()),
        text("pipeline.reason", rejected.why),
        text("pipeline.route", route),
    ];
    let view = rejected.view.slice(rejected.range.clone());
    for trace in recorded(&view) {
        let note = Note::of(now_ns(), "rejected", &fields).failing("rejected", rejected.why);
        seat.host().notes.add(trace, note);
    }
}

/// Messages will be given again to the stage at `seat`, whose last instance left them unsettled.
pub(crate) fn redelivered(seat: &Seat, view: &View, error: Option<&str>) {
    let error = error.unwrap_or("closed before it had settled the message");
    let fields = [
        text("pipeline.stage", seat.name()),
        text("exception.message", error),
    ];
    for trace in recorded(view) {
        let note = Note::of(now_ns(), "redelivered", &fields);
        seat.host().notes.add(trace, note);
    }
}

/// The traces of a view's messages that are recorded.
pub(super) fn recorded(view: &View) -> impl Iterator<Item = &PlTrace> {
    (0..view.len()).filter_map(|index| {
        // SAFETY: null, or as alive as the batch, which the holder of the view holds.
        let trace = unsafe { view.message(index).trace.as_ref() };
        trace.filter(|trace| trace.flags & 1 != 0 && trace.trace_id != [0; 16])
    })
}

fn text<'a>(name: &'a str, value: &'a str) -> Field<'a> {
    Field {
        name,
        value: FieldValue::Str(value),
    }
}
