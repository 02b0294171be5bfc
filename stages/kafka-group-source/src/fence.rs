//! Keeps a member that was fenced out of its group while the other one is there.
//!
//! With `classic` the newer of two members with one id wins. If the older one joined again at once it would fence the newer one in
//! turn, and so on without end. So who was fenced in this process joins again only when the group no longer has a member of that id.

use crate::listener::Consumer;
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use stage_kafka_client::ask_again;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Group and member id of those that were fenced; outlives the instance, which fails by it.
static FENCED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// How long the brokers are waited for, and how long until they are asked again.
const ANSWER: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);
/// After this time it is tried again in any case: the user may not be allowed to look at the group.
const LONGEST: Duration = Duration::from_secs(300);

/// Notes that a member was fenced.
pub(crate) fn close(group: &str, member: &str) {
    FENCED.lock().insert((group.to_owned(), member.to_owned()));
}

/// Whether a member was fenced and has not been let in again.
pub(crate) fn is_closed(group: &str, member: &str) -> bool {
    FENCED
        .lock()
        .contains(&(group.to_owned(), member.to_owned()))
}

/// Lets the member in when the group has no member of that id any more; wakes the source then.
pub(crate) fn watch(
    context: &Context,
    consumer: &Arc<Consumer>,
    group: &str,
    member: &str,
    wake: Arc<Notify>,
) {
    let key = (group.to_owned(), member.to_owned());
    let begun = Instant::now();
    ask_again(context, consumer, PAUSE, move |consumer| {
        if begun.elapsed() < LONGEST && !has_left(consumer, &key.0, &key.1) {
            return ControlFlow::Continue(());
        }
        FENCED.lock().remove(&key);
        wake.notify_one();
        ControlFlow::Break(())
    });
}

/// Whether the group has no member of that id, as far as it is known.
fn has_left(consumer: &Consumer, group: &str, member: &str) -> bool {
    match consumer.fetch_group_list(Some(group), ANSWER) {
        Ok(list) => {
            let mut members = list.groups().iter().flat_map(|group| group.members());
            !members.any(|other| is_incarnation(other.id(), member))
        }
        Err(error) => {
            tracing::debug!(%error, "the group's members are not known");
            false
        }
    }
}

/// Brokers name a static member by its id, a dash and a UUID.
fn is_incarnation(name: &str, member: &str) -> bool {
    const UUID: usize = 36;
    name.strip_prefix(member)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|uuid| uuid.len() == UUID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_has_the_id_and_a_uuid() {
        assert!(is_incarnation(
            "0-vm1-0a1b2c3d-1111-2222-3333-444455556666",
            "0-vm1"
        ));
        assert!(!is_incarnation(
            "0-vm1-b-0a1b2c3d-1111-2222-3333-444455556666",
            "0-vm1"
        ));
        assert!(!is_incarnation(
            "rdkafka-0a1b2c3d-1111-2222-3333-444455556666",
            "0-vm1"
        ));
    }
}
