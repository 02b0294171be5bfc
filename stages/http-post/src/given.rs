//! What the receiver was given last of one partition, to give it again to one that lost it.
//!
//! A receiver that keeps messages in memory only names that memory in `ETag`. Requests say which one they expect (`If-Match`);
//! a receiver that started anew answers 412, and is given again, as replay, what the one before was given last.
//!
//! Invariant: the requests kept hold messages in one unbroken order, and the receiver that is named took all of them.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use pipeline_sdk::prelude::*;

/// Bytes that are kept, as a multiple of what one request carries.
const REQUESTS: u64 = 4;

/// How much is kept of a partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// At least so many messages, if there were as many.
    pub(crate) messages: usize,
    /// What one request carries.
    pub(crate) max_bytes: u64,
}

/// What the receiver was given last of one partition.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// The receiver's name of its memory.
    pub(crate) tag: Option<HeaderValue>,
    requests: VecDeque<Request>,
    messages: usize,
    bytes: u64,
    last: Option<i64>,
}

/// What one request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) messages: usize,
}

impl Given {
    /// Looks at what comes next, from offset `first` on. A partition that went to somebody else and came back is read again by
    /// its source: what was given before is old.
    pub(crate) fn before(&mut self, first: i64, is_replay: bool) {
        let goes_on = self
            .last
            .is_none_or(|last| first == last + 1 || (first > last && !is_replay));
        if !goes_on {
            *self = Self {
                tag: self.tag.take(),
                ..Self::default()
            };
        }
    }

    /// Keeps a request that was answered; `last` is the offset of its last message.
    pub(crate) fn keep(&mut self, request: Request, last: i64, keep: Keep) {
        self.messages += request.messages;
        self.bytes += request.body.len() as u64;
        self.requests.push_back(request);
        self.last = Some(last);
        while let [oldest, _, ..] = self.requests.make_contiguous()
            && (self.messages - oldest.messages >= keep.messages
                || self.bytes > REQUESTS * keep.max_bytes)
        {
            self.messages -= oldest.messages;
            self.bytes -= oldest.body.len() as u64;
            self.requests.pop_front();
        }
    }

    /// All that is kept, in as few requests as it fits into.
    pub(crate) fn again(&self, keep: Keep) -> Vec<Request> {
        let mut again: Vec<(BytesMut, usize)> = Vec::new();
        for request in &self.requests {
            match again.last_mut() {
                Some((body, messages))
                    if (body.len() + request.body.len()) as u64 <= keep.max_bytes =>
                {
                    body.extend_from_slice(&request.body);
                    *messages += request.messages;
                }
                _ => again.push((BytesMut::from(&request.body[..]), request.messages)),
            }
        }
        let request = |(body, messages): (BytesMut, usize)| Request {
            body: body.freeze(),
            messages,
        };
        again.into_iter().map(request).collect()
    }
}

/// What the receiver was given last, by partition. Each is taken out while a request of it is in flight.
#[derive(Default)]
pub(crate) struct Partitions(RefCell<HashMap<(String, i32), Given>>);

impl Partitions {
    pub(crate) fn take(&self, topic: &str, partition: i32) -> Given {
        let key = (topic.to_owned(), partition);
        self.0.borrow_mut().remove(&key).unwrap_or_default()
    }

    pub(crate) fn put(&self, topic: &str, partition: i32, given: Given) {
        let key = (topic.to_owned(), partition);
        self.0.borrow_mut().insert(key, given);
    }
}

/// First and last offset of a chunk, its partition, and whether it begins with a replay; `None` without positions.
pub(crate) fn run(chunk: &Chunk) -> Option<(i32, i64, i64, bool)> {
    let partition = chunk.partition()?;
    let first = chunk.iter().next()?;
    let last = chunk.iter().last()?.position()?.offset;
    Some((partition, first.position()?.offset, last, first.is_replay()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Keep = Keep {
        messages: 10,
        max_bytes: 6,
    };

    /// Gives `count` messages of one byte from `first` on.
    fn give(given: &mut Given, first: i64, count: usize) {
        given.before(first, false);
        let request = Request {
            body: vec![b'x'; count].into(),
            messages: count,
        };
        given.keep(request, first + count as i64 - 1, KEEP);
    }

    fn kept(given: &Given) -> Vec<usize> {
        let again = given.again(KEEP);
        assert!(again.iter().all(|one| one.body.len() == one.messages));
        again.iter().map(|one| one.messages).collect()
    }

    #[test]
    fn the_last_messages_are_kept_and_no_more_than_needed() {
        let mut given = Given::default();
        (0..7).for_each(|group| give(&mut given, 3 * group, 3));
        assert_eq!(kept(&given), [6, 6]);
        give(&mut given, 21, 1);
        assert_eq!(kept(&given), [6, 4]);
    }

    #[test]
    fn bytes_bound_what_is_kept_but_the_last_request_stays() {
        let mut given = Given::default();
        give(&mut given, 0, 5);
        give(&mut given, 5, 30);
        assert_eq!(kept(&given), [30]);
        give(&mut given, 35, 1);
        assert_eq!(kept(&given), [1]);
    }

    #[test]
    fn a_partition_that_came_back_is_begun_anew() {
        for (first, is_replay, goes_on) in [
            (5, true, true),
            (5, false, true),
            (9, false, true),
            (9, true, false),
            (4, false, false),
            (0, true, false),
        ] {
            let mut given = Given {
                tag: Some(HeaderValue::from_static("\"a\"")),
                ..Given::default()
            };
            give(&mut given, 0, 5);
            given.before(first, is_replay);
            assert_eq!(kept(&given).is_empty(), !goes_on, "{first} {is_replay}");
            assert!(given.tag.is_some());
        }
    }
}
