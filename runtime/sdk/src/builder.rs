//! Making batches: a stage fills a [`BatchBuilder`], the host and the stages behind it read the result in place.

use crate::owned::{Done, Owned};
use crate::record::now_ns;
use crate::{MAX_BATCH, Message, Record, Span};
use pipeline_abi::*;
use std::ptr;
use std::sync::Arc;

/// A batch being filled.
pub struct BatchBuilder {
    owned: Box<Owned>,
}

// SAFETY: the pointers inside lead to the batch's own memory, or (a filter's) to a batch that the host keeps.
unsafe impl Send for BatchBuilder {}

impl BatchBuilder {
    pub(crate) fn new(owned: Box<Owned>) -> Self {
        BatchBuilder { owned }
    }

    /// Sets the topic that the positions of the messages are in.
    pub fn topic(&mut self, topic: &str) -> &mut Self {
        self.owned.header.topic = PlStr {
            ptr: self.owned.arena.bytes(topic.as_bytes()),
            len: topic.len(),
        };
        self
    }

    /// Asks to be told when the batch's messages are settled.
    pub fn on_done(&mut self, done: Arc<dyn Done>, token: u64) -> &mut Self {
        self.owned.on_done = Some((done, token));
        self
    }

    /// Adds a message.
    ///
    /// # Panics
    /// If the batch is full, or payload or key are 4 GiB or longer.
    pub fn push(&mut self, record: Record<'_>) -> &mut Self {
        assert!(
            !self.is_full(),
            "a batch holds at most {MAX_BATCH} messages"
        );
        let arena = &mut self.owned.arena;
        let trace = record
            .trace
            .map_or(ptr::null(), |trace| arena.slice(&[trace.to_abi()]));
        let message = PlMsg {
            payload: arena.bytes(record.payload),
            key: record.key.map_or(ptr::null(), |key| arena.bytes(key)),
            payload_len: length(record.payload),
            key_len: record.key.map_or(0, length),
            headers: ptr::null(),
            n_headers: 0,
            flags: if record.replay { PL_MSG_REPLAY } else { 0 }
                | if record.position.is_some() {
                    PL_MSG_HAS_POSITION
                } else {
                    0
                },
            partition: record.position.map_or(-1, |(partition, _)| partition),
            offset: record.position.map_or(-1, |(_, offset)| offset),
            ts_ns: record.timestamp_ns.unwrap_or_else(now_ns),
            trace,
        };
        self.owned.messages.push(message);
        if !record.headers.is_empty() {
            self.set_headers(record.headers);
        }
        self.owned.header.bytes +=
            (record.payload.len() + record.key.map_or(0, <[u8]>::len)) as u64;
        self
    }

    /// Adds a message that belongs to a span: the message carries on its trace, and the span ends when the message is done.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn push_in(&mut self, record: Record<'_>, span: Span) -> &mut Self {
        let index = self.len() as u32;
        self.push(record.trace(span.trace()));
        self.owned.spans.push(index, span);
        self
    }

    fn set_headers(&mut self, headers: &[(&str, &[u8])]) {
        let Owned {
            arena, messages, ..
        } = &mut *self.owned;
        if let Some(message) = messages.last_mut() {
            message.n_headers = u16::try_from(headers.len()).unwrap_or(u16::MAX);
            message.headers = arena.fill(usize::from(message.n_headers), |index, arena| {
                let (name, value) = headers[index];
                PlHeader {
                    name: PlStr {
                        ptr: arena.bytes(name.as_bytes()),
                        len: name.len(),
                    },
                    value: PlStr {
                        ptr: arena.bytes(value),
                        len: value.len(),
                    },
                }
            });
        }
    }

    /// Adds a message of a filter's input, with another payload or as it is, without copying the rest of it.
    pub(crate) fn push_from(&mut self, input: Message<'_>, origin: u32, payload: Option<&[u8]>) {
        assert!(
            !self.is_full(),
            "a batch holds at most {MAX_BATCH} messages"
        );
        let mut message = *input.raw();
        if let Some(payload) = payload {
            message.payload = self.owned.arena.bytes(payload);
            message.payload_len = length(payload);
        }
        self.owned.header.bytes += u64::from(message.payload_len) + u64::from(message.key_len);
        self.owned.messages.push(message);
        self.owned.origin.push(origin);
    }

    /// Adds a filter's own message.
    pub(crate) fn push_record(&mut self, origin: u32, record: Record<'_>) {
        self.push(record);
        self.owned.origin.push(origin);
    }

    /// Forgets the messages from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        for message in self.owned.messages.drain(len..) {
            self.owned.header.bytes -= u64::from(message.payload_len) + u64::from(message.key_len);
        }
        self.owned.origin.truncate(len);
    }

    /// Makes the topic of a filter's input the topic of its output.
    pub(crate) fn topic_of(&mut self, input: PlStr) {
        self.owned.header.topic = input;
    }

    /// Number of messages so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owned.messages.len()
    }

    /// Whether there is no message yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owned.messages.is_empty()
    }

    /// Whether no more message fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == MAX_BATCH
    }

    /// Payload and key bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.owned.header.bytes
    }

    /// The batch and its origins, one reference of which moves to the caller. The batch must not be empty.
    pub(crate) fn finish(mut self) -> (*const PlBatch, *const u32) {
        let owned = &mut *self.owned;
        owned.header.n_msgs = owned.messages.len() as u32;
        owned.header.msgs = owned.messages.as_ptr();
        owned.header.made_ns = now_ns();
        let origin = owned.origin.as_ptr();
        (Box::into_raw(self.owned).cast_const().cast(), origin)
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len())
        .unwrap_or_else(|_| panic!("{} bytes are more than one message can hold", bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned::Pool;
    use crate::{Batch, Done, Trace};
    use std::ops::Range;
    use std::sync::Arc;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, Range<u32>)>>);

    impl Done for Told {
        fn done(&self, token: u64, range: Range<u32>) {
            self.0.lock().unwrap().push((token, range));
        }
    }

    fn received(builder: BatchBuilder) -> Batch {
        // SAFETY: the one reference of a finished batch.
        unsafe { Batch::from_raw(builder.finish().0) }
    }

    #[test]
    fn what_is_pushed_is_what_is_received() {
        let mut builder = BatchBuilder::new(Pool::new().take());
        let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        builder.topic("stock_trade");
        builder.push(Record::new(b"first"));
        builder.push(
            Record::new(b"second")
                .key(&b"BTC"[..])
                .headers(&[("a", b"1"), ("b", b"2"), ("a", b"3")])
                .timestamp_ns(7)
                .position(2, 99)
                .trace(trace)
                .replay(true),
        );
        let batch = received(builder);

        assert_eq!(
            (batch.len(), batch.bytes(), batch.topic()),
            (2, 14, "stock_trade")
        );
        let (first, second) = (batch.get(0), batch.get(1));
        assert_eq!(
            (
                first.payload(),
                first.key(),
                first.position(),
                first.trace()
            ),
            (&b"first"[..], None, None, None)
        );
        assert!(first.timestamp_ns() > 0 && !first.is_replay() && first.headers().len() == 0);
        assert_eq!(
            (second.payload(), second.key(), second.timestamp_ns()),
            (&b"second"[..], Some(&b"BTC"[..]), 7)
        );
        assert_eq!(
            second.position().map(|p| (p.topic, p.partition, p.offset)),
            Some(("stock_trade", 2, 99))
        );
        assert_eq!(
            (second.trace(), second.is_replay(), second.header("a")),
            (trace, true, Some(&b"3"[..]))
        );
    }

    #[test]
    fn a_shared_payload_keeps_its_batch_alive() {
        let mut builder = BatchBuilder::new(Pool::new().take());
        builder.push(Record::new(b"shared"));
        let payload = received(builder).payload(0);
        assert_eq!(payload, "shared");
    }

    #[test]
    fn done_reaches_the_stage_with_its_token() {
        let told = Arc::new(Told::default());
        let mut builder = BatchBuilder::new(Pool::new().take());
        builder
            .on_done(told.clone(), 42)
            .push(Record::new(b"a"))
            .push(Record::new(b"b"));
        let batch = received(builder);
        batch.done_range(1..2);
        batch.done_range(0..1);
        assert_eq!(*told.0.lock().unwrap(), [(42, 1..2), (42, 0..1)]);
    }

    #[test]
    fn a_released_batch_is_used_again_and_empty() {
        let pool = Pool::new();
        let mut builder = BatchBuilder::new(pool.take());
        builder.push(Record::new(b"a"));
        let batch = received(builder);
        let address = batch.get(0).raw() as *const PlMsg;
        drop(batch.clone());
        assert!(pool.is_empty(), "one reference is left");
        drop(batch);
        let mut builder = BatchBuilder::new(pool.take());
        assert!(builder.is_empty() && builder.bytes() == 0);
        builder.push(Record::new(b"b"));
        assert_eq!(received(builder).get(0).raw() as *const PlMsg, address);
    }

    #[test]
    fn a_pool_keeps_a_bounded_amount_of_memory() {
        let pool = Pool::new();
        let payload = [b'x'; 16 * 1024];
        let batches: Vec<_> = (0..64)
            .map(|_| {
                let mut builder = BatchBuilder::new(pool.take());
                (0..64).for_each(|_| _ = builder.push(Record::new(&payload)));
                received(builder)
            })
            .collect();
        drop(batches);
        let kept = pool.kept_bytes();
        assert!((1 << 20..=4 << 20).contains(&kept), "{kept}");
        while !pool.is_empty() {
            drop(pool.take());
        }
        assert_eq!(pool.kept_bytes(), 0);
    }
}
