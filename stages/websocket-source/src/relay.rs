//! `pipeline.v1`: the WebSocket servers of other pipelines.
//!
//! Each message keeps position, key, times, trace and the server that it came in by. A message that several servers tell is
//! handed on once. What each server told is remembered, to resume from after a lost connection.
//!
//! What a server tells of its past comes as replay if it is older than this stage: an earlier run of this pipeline has told it
//! already. The past ends at the `head` that the server's `hello` names; what a server of which nothing was known, such as one
//! that was just added, has from this stage's own time is news.

use std::collections::HashMap;
use std::sync::MutexGuard;

use pipeline_sdk::prelude::*;
use stage_envelope::{
    After, FROM_HEADER, Frame as Told, Gap, GapReason, MessageFrame, Position, TIMES_HEADER,
    parse_frame,
};

use crate::inbox::Frame;
use crate::shared::{LinkState, Shared};
use crate::throttle::Throttle;
use crate::window::Window;

/// How many positions are remembered, over all servers.
const REMEMBERED: usize = 65_536;

/// Makes messages of frames.
pub(crate) struct Relay {
    seen: Window,
    /// When this stage began, nanoseconds since 1970.
    begun_ns: i64,
    /// Each server tells a part only, what came by POST.
    local_only: bool,
    /// Per server, how far its past goes.
    past: HashMap<usize, After>,
    malformed: Throttle,
    gaps: Throttle,
}

/// Takes the topic and the message.
pub(crate) type Push<'p> = &'p mut dyn FnMut(Option<&str>, Record<'_>);

impl Relay {
    /// Nothing was seen yet by a stage that began at `begun_ns`. With `local_only` each server tells a part only.
    pub(crate) fn new(begun_ns: i64, local_only: bool) -> Self {
        Relay {
            seen: Window::new(REMEMBERED),
            begun_ns,
            local_only,
            past: HashMap::new(),
            malformed: Throttle::default(),
            gaps: Throttle::default(),
        }
    }

    /// Hands the message of `frame`, which server `link` sent, to `push`.
    pub(crate) fn messages(&mut self, frame: &Frame, link: usize, shared: &Shared, push: Push<'_>) {
        let told = match std::str::from_utf8(&frame.payload) {
            Ok(text) if frame.text => parse_frame(text).map_err(|error| error.to_string()),
            _ => Err("a binary frame".to_owned()),
        };
        match told {
            Ok(Told::Message(message)) => {
                self.message(&message, frame.received_ns, link, shared, push)
            }
            Ok(Told::Gap(gap)) => self.gap(&gap, link, shared),
            Ok(Told::Hello(_)) => self.hello(frame, link, shared),
            Ok(_) => {}
            Err(error) => {
                shared.malformed.add(1);
                if let Some(frames) = self.malformed.pass(1) {
                    tracing::warn!(frames, "skipped, expected a `pipeline.v1` frame: {error}");
                }
            }
        }
    }

    /// Notes how far the past of a server goes that is asked for it, which is done when nothing is known of it.
    fn hello(&mut self, frame: &Frame, link: usize, shared: &Shared) {
        #[derive(Deserialize)]
        struct Hello {
            #[serde(default)]
            head: String,
        }
        let hello = serde_json::from_slice(&frame.payload).ok();
        let head = hello.and_then(|hello: Hello| hello.head.parse::<After>().ok());
        let is_first = shared.link(link).after.is_empty();
        self.past
            .insert(link, head.filter(|_| is_first).unwrap_or_default());
    }

    /// Whether a message is of a server's past and older than this stage.
    fn was_told(&self, link: usize, position: &Position<'_>, timestamp_ns: i64) -> bool {
        let past = self.past.get(&link).filter(|past| !past.is_empty());
        let last = past.and_then(|past| past.get(&position.topic, position.partition));
        timestamp_ns < self.begun_ns && last.is_some_and(|last| position.offset <= last)
    }

    fn message(
        &mut self,
        told: &MessageFrame<'_>,
        received_ns: i64,
        link: usize,
        shared: &Shared,
        push: Push<'_>,
    ) {
        let message = &told.message;
        let timestamp_ns = message.timestamp.unwrap_or(received_ns);
        let mut record = Record::new(message.data.as_bytes())
            .key(message.key.as_deref())
            .timestamp_ns(timestamp_ns)
            .trace(message.traceparent.as_deref().and_then(Trace::parse))
            .replay(message.replay);
        if let Some(position) = &message.position {
            note_position(
                shared,
                link,
                &position.topic,
                position.partition,
                position.offset,
            );
            if !self.seen.is_new((position, message.timestamp)) {
                return shared.duplicates.add(1);
            }
            record = record
                .position(position.partition, position.offset)
                .replay(message.replay || self.was_told(link, position, timestamp_ns));
        }
        let times = match serde_json::to_vec(&message.times) {
            Ok(times) if !message.times.is_empty() => times,
            _ => Vec::new(),
        };
        let headers = [
            (FROM_HEADER, told.from.as_bytes()),
            (TIMES_HEADER, times.as_slice()),
        ];
        let known = if times.is_empty() { 1 } else { 2 };
        push(
            message
                .position
                .as_ref()
                .map(|position| position.topic.as_ref()),
            record.headers(&headers[..known]),
        );
    }

    fn gap(&mut self, gap: &Gap, link: usize, shared: &Shared) {
        let partition = format!("{}/{}", gap.topic, gap.partition);
        if gap.reason == GapReason::Reset {
            shared.link(link).after.remove(&gap.topic, gap.partition);
            if let Some(past) = self.past.get_mut(&link) {
                past.remove(&gap.topic, gap.partition);
            }
            tracing::info!("`{partition}` began anew at offset {}", gap.from);
            return;
        }
        let missing = self.missing(gap, link, shared);
        if missing == 0 {
            return;
        }
        shared.gap(&partition, missing);
        if let Some(missing) = self.gaps.pass(missing) {
            tracing::warn!(
                missing,
                partition,
                "a server no longer has what was asked for"
            );
        }
    }

    /// How many messages of a gap no server has told. Each tells all that it has in order, so the one that is farthest has told
    /// all up to there, unless each tells a part only.
    fn missing(&self, gap: &Gap, link: usize, shared: &Shared) -> u64 {
        let told = |(index, state): (usize, MutexGuard<'_, LinkState>)| {
            let elsewhere = index != link && !self.local_only;
            elsewhere.then(|| state.after.get(&gap.topic, gap.partition))?
        };
        let farthest = shared.links().enumerate().filter_map(told).max();
        let next = farthest.map_or(gap.from, |farthest| {
            gap.from.max(farthest.saturating_add(1))
        });
        let to = gap.to.unwrap_or(gap.from);
        u64::try_from(to.saturating_sub(next).saturating_add(1)).unwrap_or(0)
    }
}

/// Remembers what a server told. A lower offset than before is late and no reason to ask for the rest again.
fn note_position(shared: &Shared, link: usize, topic: &str, partition: i32, offset: i64) {
    let after = &mut shared.link(link).after;
    if after
        .get(topic, partition)
        .is_none_or(|before| before < offset)
    {
        after.set(topic, partition, offset);
    }
}

#[cfg(test)]
mod tests;
