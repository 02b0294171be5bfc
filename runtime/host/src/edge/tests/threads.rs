use super::*;
use crate::edge::{Waiter, Wake};
use crate::route::Branch;
use crate::testing::{Notified, notify};
use pipeline_abi::PL_CLOSED;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A producer and a consumer that sleep whenever they may, over a small window: a lost wake-up stops them for ever, which
/// [`Notified::wait`] turns into a panic.
fn run(window: u64, batches: u32, collect: usize) {
    let bare = Bare::new(window, u64::MAX);
    let (producer, consumer): (Arc<Notified>, Arc<Notified>) = Default::default();
    let waiter = Arc::new(Waiter::default());
    waiter.set(Some(Wake::new(notify, Notified::context(&producer))));
    bare.edge.set_waiters(vec![waiter.clone()]);
    bare.edge
        .attach(Some(Wake::new(notify, Notified::context(&consumer))));
    let outlet = Outlet::new(vec![Branch::Edge(bare.edge.clone())]);
    let received = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..batches {
                while !outlet.admits() && outlet.park(&waiter) {
                    producer.wait();
                }
                bare.push(&[number.to_string()]);
                assert!(bare.edge.window().in_flight().messages <= window);
            }
            bare.edge.finish();
        });
        scope.spawn(|| {
            let mut kept = Vec::new();
            loop {
                let mut room = [std::ptr::null(); 7];
                match bare.edge.receive(&mut room) {
                    PL_CLOSED => break,
                    0 => consumer.wait(),
                    count => {
                        received.fetch_add(count as u64, Ordering::Relaxed);
                        kept.extend(room.into_iter().take(count as usize).map(Received));
                    }
                }
                if kept.len() >= collect {
                    kept.drain(..).for_each(|received| received.done(0, 1));
                }
            }
            kept.drain(..).for_each(|received| received.done(0, 1));
        });
    });
    assert_eq!(received.load(Ordering::Relaxed), u64::from(batches));
    assert_eq!(bare.ledger.unsettled(), 0);
    assert!(bare.edge.is_unused());
}

#[test]
fn no_wake_up_is_lost_when_every_batch_is_settled_at_once() {
    run(1, 20_000, 1);
    run(2, 20_000, 1);
    run(64, 50_000, 1);
}

#[test]
fn no_wake_up_is_lost_when_the_consumer_collects_a_whole_window() {
    run(8, 20_000, 8);
    run(9, 20_000, 7);
    run(64, 50_000, 64);
}

/// An edge with a full window of four messages, all of them received, and its producer.
fn full() -> (Bare, Vec<Received>, Outlet, Arc<Waiter>, Arc<Notified>) {
    let bare = Bare::new(4, u64::MAX);
    let (waiter, notified) = (Arc::new(Waiter::default()), Arc::<Notified>::default());
    waiter.set(Some(Wake::new(notify, Notified::context(&notified))));
    bare.edge.set_waiters(vec![waiter.clone()]);
    (0..4).for_each(|_| drop(bare.push(&["a"])));
    let received = bare.receive(4);
    let outlet = Outlet::new(vec![Branch::Edge(bare.edge.clone())]);
    (bare, received, outlet, waiter, notified)
}

#[test]
fn producer_that_parks_after_the_window_has_opened_goes_on() {
    let (_bare, received, outlet, waiter, _) = full();
    assert!(!outlet.admits());
    received[0].done(0, 1);
    assert!(
        !outlet.park(&waiter),
        "it looked before the settle and raises its flag after it"
    );
}

#[test]
fn parked_producer_is_woken_at_half_a_window() {
    let (_bare, received, outlet, waiter, notified) = full();
    assert!(outlet.park(&waiter));
    received[0].done(0, 1);
    assert!(!notified.wait_for(Duration::ZERO));
    received[1].done(0, 1);
    assert!(notified.wait_for(Duration::ZERO));
    received[2].done(0, 1);
    assert!(!notified.wait_for(Duration::ZERO), "once");
}

#[test]
fn parked_producer_is_woken_by_the_first_settle_of_an_idle_consumer() {
    let (bare, received, outlet, waiter, notified) = full();
    assert!(outlet.park(&waiter));
    assert!(bare.receive(4).is_empty());
    assert!(!notified.wait_for(Duration::ZERO), "nothing fits yet");
    received[0].done(0, 1);
    assert!(notified.wait_for(Duration::ZERO));
}

#[test]
fn parked_producer_is_woken_when_the_consumer_goes_idle() {
    let (bare, received, outlet, waiter, notified) = full();
    assert!(outlet.park(&waiter));
    received[0].done(0, 1);
    assert!(!notified.wait_for(Duration::ZERO));
    assert!(bare.receive(4).is_empty());
    assert!(notified.wait_for(Duration::ZERO));
}

#[test]
fn threads_that_settle_the_same_messages_tell_upstream_once() {
    let bare = Bare::new(10, 1000);
    for _ in 0..300 {
        let log = bare.push(&["a", "b", "c", "d", "e"]);
        let received = bare.receive(1).remove(0);
        std::thread::scope(|scope| {
            for range in [(0, 3), (2, 3), (0, 5), (4, 1)] {
                let own = received.clone();
                scope.spawn(move || own.done(range.0, range.1));
            }
            drop(received);
        });
        assert!(log.is_done() && log.is_freed());
    }
    assert_eq!(bare.edge.window().in_flight().messages, 0);
}
