//! What it costs to trace one message in a hundred.

use crate::feed::{self, Feed};
use crate::figures::Run;
use crate::post::{self, Posting};
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::Topic;

/// The head of a pipeline file: what is traced, if there is a collector.
pub(crate) fn settings(collector: Option<&str>) -> String {
    collector.map_or_else(String::new, |collector| {
        format!("telemetry: {{ endpoint: 'http://{collector}', ratio: 0.01 }}")
    })
}

/// Runs of Kafka → POST in a round. They are short and scatter, and what is looked for is three per cent.
const POSTS: usize = 4;

pub(crate) async fn measure(report: &mut Report) {
    let messages = sized(1_000_000, 50_000);
    // A collector that takes all and looks at nothing: what spans cost there is not the pipeline's.
    let collector = Receiver::expecting(u64::MAX).await;
    let addr = collector.addr().to_string();
    let topic = Topic::filled(3, messages).await;
    let (mut feeds, mut posts) = (Pair::default(), Pair::default());
    for round in 0..rounds() {
        // Each goes first as often as the other.
        let mut collectors = [None, Some(addr.as_str())];
        collectors.rotate_left(round % 2);
        for collector in collectors {
            let feed = Feed {
                is_normalised: true,
                collector,
                ..Feed::plain(messages)
            };
            feeds.add(collector, feed::run(feed).await);
        }
        for collector in std::iter::repeat_n(collectors, POSTS).flatten() {
            let posting = Posting {
                collector,
                ..Posting::batched(messages)
            };
            posts.add(collector, post::run(&topic, posting).await);
        }
    }
    topic.delete().await;
    let [feed, feed_cpu] = feeds.rows(["feed → Kafka, k messages/s", "µs of CPU a message"]);
    let [post, post_cpu] = posts.rows(["Kafka → POST, k messages/s", "µs of CPU a message"]);
    report.path(
        &format!(
            "One message in a hundred is traced (Kafka → POST: {} runs)",
            posts.with.len()
        ),
        "the same without tracing",
        &[feed, feed_cpu, post, post_cpu],
    );
}

/// Runs without and with tracing.
#[derive(Default)]
struct Pair {
    without: Vec<Run>,
    with: Vec<Run>,
}

impl Pair {
    fn add(&mut self, collector: Option<&str>, run: Run) {
        match collector {
            None => self.without.push(run),
            Some(_) => self.with.push(run),
        }
    }

    fn rows<'a>(&self, [rate, cpu]: [&'a str; 2]) -> [Row<'a>; 2] {
        let row = Row::beside(&self.without, &self.with);
        [
            row(rate, Run::thousands_a_second, "0.97 ×"),
            row(cpu, Run::cpu_us, ""),
        ]
    }
}
