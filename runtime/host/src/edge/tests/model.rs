use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// One step of the world around an edge.
#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    Receive(usize),
    /// Settles messages of the batch in hand, both chosen by a share.
    Done(f64, f64, f64),
    Reject(f64, f64),
    /// Gives a batch in hand back, if it is settled.
    Release(f64),
    Crash,
    /// The consumer is replaced without having failed.
    Replace,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..6).prop_map(Step::Push),
        4 => (1_usize..4).prop_map(Step::Receive),
        6 => (0.0..1.0, 0.0..1.0, 0.0..1.0).prop_map(|(a, b, c)| Step::Done(a, b, c)),
        1 => (0.0..1.0, 0.0..1.0).prop_map(|(a, b)| Step::Reject(a, b)),
        3 => (0.0..1.0).prop_map(Step::Release),
        1 => Just(Step::Crash),
        1 => Just(Step::Replace),
    ]
}

/// What the consumer has in hand: the batch, its messages' numbers, and which of them are settled.
struct Hand {
    received: Received,
    numbers: Vec<u32>,
    settled: Vec<bool>,
}

struct World {
    bare: Bare,
    logs: Vec<Arc<Made>>,
    pushed: u32,
    hands: Vec<Hand>,
    /// Numbers in the order in which they must come.
    expected: VecDeque<u32>,
    settled: Vec<bool>,
    /// How often the consumer crashed while it had this message and no other unsettled.
    crashes_alone: Vec<u32>,
    rejected_by_host: u32,
}

impl World {
    fn new() -> Self {
        World {
            bare: Bare::new(10, 1000),
            logs: Vec::new(),
            pushed: 0,
            hands: Vec::new(),
            expected: VecDeque::new(),
            settled: Vec::new(),
            crashes_alone: Vec::new(),
            rejected_by_host: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Push(count) => self.push(count),
            Step::Receive(max) => self.receive(max),
            Step::Done(hand, first, count) => self.settle(hand, first, count, false),
            Step::Reject(hand, first) => self.settle(hand, first, 0.0, true),
            Step::Release(hand) => self.release(hand),
            Step::Crash => self.lose(Some("crash")),
            Step::Replace => self.lose(None),
        }
    }

    fn push(&mut self, count: u32) {
        let texts: Vec<_> = (self.pushed..self.pushed + count)
            .map(|number| number.to_string())
            .collect();
        self.logs.push(self.bare.push(&texts));
        self.expected.extend(self.pushed..self.pushed + count);
        self.settled.extend((0..count).map(|_| false));
        self.crashes_alone.extend((0..count).map(|_| 0));
        self.pushed += count;
    }

    fn receive(&mut self, max: usize) {
        for received in self.bare.receive(max) {
            let numbers: Vec<u32> = received
                .payloads()
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
            for number in &numbers {
                assert_eq!(self.expected.pop_front(), Some(*number), "in edge order");
                assert!(
                    !self.settled[*number as usize],
                    "what is settled does not come again"
                );
            }
            let settled = vec![false; numbers.len()];
            self.hands.push(Hand {
                received,
                numbers,
                settled,
            });
        }
    }

    fn settle(&mut self, hand: f64, first: f64, count: f64, reject: bool) {
        let Some(index) = pick(hand, self.hands.len()) else {
            return;
        };
        let hand = &mut self.hands[index];
        let len = hand.numbers.len() as u32;
        let first = (first * f64::from(len)) as u32;
        let count = 1 + (count * f64::from(len - first)) as u32;
        if reject {
            let (batch, why) = (hand.received.0, pipeline_abi::PlStr::new(b"no"));
            // SAFETY: a batch that we hold.
            unsafe { ((*(*batch).vt).reject)(batch, first, 1, why) };
        } else {
            hand.received.done(first, count);
        }
        for at in first..(first + if reject { 1 } else { count }).min(len) {
            hand.settled[at as usize] = true;
            self.settled[hand.numbers[at as usize] as usize] = true;
        }
    }

    fn release(&mut self, hand: f64) {
        let Some(index) = pick(hand, self.hands.len()) else {
            return;
        };
        if self.hands[index].settled.iter().all(|settled| *settled) {
            self.hands.remove(index);
        }
    }

    /// Numbers of the messages that the consumer holds unsettled.
    fn unsettled_in_hand(&self) -> Vec<u32> {
        let numbers = self.hands.iter().flat_map(|hand| &hand.numbers).copied();
        numbers
            .filter(|number| !self.settled[*number as usize])
            .collect()
    }

    fn lose(&mut self, error: Option<&str>) {
        if let (Some(_), [alone]) = (error, &self.unsettled_in_hand()[..]) {
            self.crashes_alone[*alone as usize] += 1;
        }
        self.hands.clear();
        self.bare.edge.recover(error);
        // What is told done now although nobody said so was rejected by the host: it crashed alone, again and again.
        let mut number = 0;
        for log in &self.logs {
            for times in log.done() {
                if times == 1 && !self.settled[number] {
                    assert!(error.is_some(), "only a crash makes a message guilty");
                    assert!(self.crashes_alone[number] >= 3, "chance is no evidence");
                    self.settled[number] = true;
                    self.rejected_by_host += 1;
                }
                number += 1;
            }
        }
        self.expected = (0..self.pushed)
            .filter(|number| !self.settled[*number as usize])
            .collect();
    }

    fn check(&self) {
        let done: Vec<u32> = self.logs.iter().flat_map(|log| log.done()).collect();
        let expected: Vec<u32> = self
            .settled
            .iter()
            .map(|settled| u32::from(*settled))
            .collect();
        assert_eq!(
            done, expected,
            "upstream hears of each settled message once"
        );
        let unsettled = expected.iter().filter(|settled| **settled == 0).count() as u64;
        assert_eq!(self.bare.ledger.unsettled(), unsettled);
    }

    /// Takes and settles everything, one batch at a time.
    fn finish(&mut self) {
        self.lose(None);
        loop {
            self.receive(1);
            let Some(hand) = self.hands.pop() else { break };
            hand.received.done(0, hand.numbers.len() as u32);
            hand.numbers
                .iter()
                .for_each(|number| self.settled[*number as usize] = true);
        }
        self.check();
        assert!(self.expected.is_empty(), "everything came");
        assert!(self.logs.iter().all(|log| log.is_done() && log.is_freed()));
        assert!(self.bare.edge.is_unused() && self.bare.edge.is_consumed());
        assert_eq!(self.bare.edge.window().in_flight().messages, 0);
        assert_eq!(self.bare.edge.window().in_flight().bytes, 0);
    }
}

fn pick(share: f64, len: usize) -> Option<usize> {
    (len > 0).then(|| ((share * len as f64) as usize).min(len - 1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]
    #[test]
    fn edge_keeps_its_promises(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.check();
        }
        world.finish();
    }
}

#[test]
fn suspects_come_alone_and_the_guilty_one_is_rejected() {
    let mut world = World::new();
    world.push(3);
    for _ in 0..2 {
        world.receive(9);
        world.lose(Some("crash"));
    }
    world.push(1);
    world.receive(9);
    assert_eq!(world.hands.len(), 1);
    world.receive(9);
    assert_eq!(world.hands.len(), 1, "nothing else while a suspect is out");
    world.settle(0.0, 0.0, 0.0, false);
    for crashes in 1..=3 {
        world.receive(9);
        assert_eq!(world.hands.last().unwrap().numbers, [1]);
        world.lose(Some("crash"));
        assert_eq!(world.rejected_by_host, u32::from(crashes == 3));
    }
    assert_eq!(world.logs[0].done(), [1, 1, 0]);
    world.finish();
}
