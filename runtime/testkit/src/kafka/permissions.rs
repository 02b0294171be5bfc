//! Permissions of users: the one thing that librdkafka's clients cannot ask for, so it is written to the wire by hand.
//!
//! A request is four bytes of length, then version and number of what is asked, and its fields in order, all big-endian.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::cluster::KafkaCluster;
use crate::eventually;

const TIMEOUT: Duration = Duration::from_secs(30);

const DESCRIBE_ACLS: i16 = 29;
const CREATE_ACLS: i16 = 30;
/// The last version without compact fields.
const VERSION: i16 = 1;
const CORRELATION: i32 = 7;

const LITERAL: u8 = 3;
const ALL_OPERATIONS: u8 = 2;
const ALLOW: u8 = 3;

/// What a user may use.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// A topic.
    Topic(&'a str),
    /// A group of consumers.
    Group(&'a str),
}

impl KafkaCluster {
    /// Allows a user whatever there is to do with a resource, and returns when every broker knows.
    pub async fn allow(&self, user: &str, resource: Resource<'_>) {
        let rule = Rule {
            principal: format!("User:{user}"),
            resource,
        };
        let brokers = self.brokers();
        eventually(TIMEOUT, "a permission made", async || {
            brokers
                .split(',')
                .next()
                .map_or(Ok(()), |broker| rule.create(broker))
        })
        .await;
        eventually(TIMEOUT, "a permission that all brokers know", async || {
            brokers
                .split(',')
                .try_for_each(|broker| rule.is_known(broker))
        })
        .await;
    }
}

struct Rule<'a> {
    principal: String,
    resource: Resource<'a>,
}

impl Rule<'_> {
    fn resource(&self) -> (u8, &str) {
        match self.resource {
            Resource::Topic(name) => (2, name),
            Resource::Group(name) => (3, name),
        }
    }

    fn create(&self, broker: &str) -> Result<(), String> {
        let mut request = Request::new(CREATE_ACLS);
        request.number(1);
        request.pattern(self);
        // Throttle time, number of results, code of the first one.
        match ask(broker, request)?.get(8..10) {
            Some([0, 0]) => Ok(()),
            other => Err(format!("error {other:?}")),
        }
    }

    fn is_known(&self, broker: &str) -> Result<(), String> {
        let mut request = Request::new(DESCRIBE_ACLS);
        request.pattern(self);
        let answer = ask(broker, request)?;
        // Throttle time, code, an empty message, number of resources.
        match answer.get(4..12) {
            Some([0, 0, 0, 0, 0, 0, 0, 1]) => Ok(()),
            other => Err(format!("{broker}: {other:?}")),
        }
    }
}

struct Request(Vec<u8>);

impl Request {
    fn new(api: i16) -> Self {
        let mut request = Self(Vec::new());
        request.0.extend(api.to_be_bytes());
        request.0.extend(VERSION.to_be_bytes());
        request.number(CORRELATION);
        request.text("testkit");
        request
    }

    fn number(&mut self, number: i32) {
        self.0.extend(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("a short text");
        self.0.extend(length.to_be_bytes());
        self.0.extend(text.as_bytes());
    }

    /// A rule, which is also the filter that finds it.
    fn pattern(&mut self, rule: &Rule<'_>) {
        let (kind, name) = rule.resource();
        self.0.push(kind);
        self.text(name);
        self.0.push(LITERAL);
        self.text(&rule.principal);
        self.text("*");
        self.0.extend([ALL_OPERATIONS, ALLOW]);
    }
}

/// Asks a broker by the plain way; returns the answer behind its header.
fn ask(broker: &str, request: Request) -> Result<Vec<u8>, String> {
    let asked = || -> io::Result<Vec<u8>> {
        let mut broker = TcpStream::connect(broker)?;
        broker.set_read_timeout(Some(TIMEOUT))?;
        let length = u32::try_from(request.0.len()).map_err(io::Error::other)?;
        broker.write_all(&length.to_be_bytes())?;
        broker.write_all(&request.0)?;
        let mut length = [0; 4];
        broker.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        broker.read_exact(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().map_err(|error| format!("{broker}: {error}"))?;
    match answer.split_first_chunk() {
        Some((id, answer)) if i32::from_be_bytes(*id) == CORRELATION => Ok(answer.to_vec()),
        _ => Err(format!("{broker}: not an answer: {answer:?}")),
    }
}
