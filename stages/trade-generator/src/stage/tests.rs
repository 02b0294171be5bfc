//! The stage in simulated time: pace, faults, ends.

use super::*;
use pipeline_sdk::testing::{self, Sent};
use serde_json::json;
use tokio::task::{JoinHandle, LocalSet};

struct Stage {
    context: Context,
    sent: Sent,
    task: JoinHandle<()>,
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(LocalSet::new().run_until(test));
}

async fn start(settings: serde_json::Value) -> Stage {
    let config: Config = serde_json::from_value(settings).unwrap();
    assert_eq!(config.problems(), []);
    let context = Context::detached("generator");
    let (mut output, sent) = testing::output(&context);
    let mut source = TradeGenerator::open(config, context.clone()).await.unwrap();
    let task = tokio::task::spawn_local(async move { source.run(&mut output).await.unwrap() });
    Stage {
        context,
        sent,
        task,
    }
}

impl Stage {
    /// Ids of the trades that were sent so far and not looked at yet.
    fn ids(&self) -> Vec<u64> {
        let batches: Vec<_> = std::iter::from_fn(|| self.sent.next()).collect();
        let id = |payload: &[u8]| {
            serde_json::from_slice::<serde_json::Value>(payload).unwrap()["sequential_id"]
                .as_u64()
                .unwrap()
        };
        batches
            .iter()
            .flat_map(|batch| {
                batch
                    .iter()
                    .map(|message| id(message.payload()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[test]
fn the_pace_does_not_drift() {
    run(async {
        let stage = start(json!({"rate": 1500})).await;
        for second in 1..=60 {
            pass(Duration::from_secs(1)).await;
            let last = stage.ids().last().copied().unwrap();
            assert!(
                (second * 1500 - 3..=second * 1500 + 1).contains(&last),
                "{last} after {second} s"
            );
        }
        testing::drain(&stage.context);
        stage.task.await.unwrap();
    });
}

#[test]
fn what_was_due_while_the_stages_behind_were_slow_comes_afterwards() {
    run(async {
        let stage = start(json!({"rate": 1000})).await;
        stage.sent.block(true);
        pass(Duration::from_secs(10)).await;
        assert!(stage.ids().is_empty());
        stage.sent.block(false);
        pass(Duration::from_millis(100)).await;
        let ids = stage.ids();
        assert!(
            ids.iter().copied().eq(1..=ids.len() as u64),
            "in order, without a gap"
        );
        assert!((10_050..10_110).contains(&ids.len()), "{}", ids.len());
        testing::drain(&stage.context);
        stage.task.await.unwrap();
    });
}

#[test]
fn it_ends_after_its_count() {
    run(async {
        let stage = start(json!({"rate": 100_000, "count": 12_345})).await;
        stage.task.await.unwrap();
        let batches: Vec<_> = std::iter::from_fn(|| stage.sent.next()).collect();
        assert_eq!(
            batches.iter().map(|batch| batch.len()).sum::<usize>(),
            12_345
        );
    });
}

#[test]
fn gaps_and_duplicates_come_on_demand() {
    run(async {
        let stage =
            start(json!({"rate": 100_000, "count": 10_000, "gaps": 0.1, "duplicates": 0.1})).await;
        pass(Duration::from_secs(1)).await;
        assert!(stage.task.is_finished());
        let ids = stage.ids();
        assert!(ids.windows(2).all(|pair| pair[0] <= pair[1]));
        let twice = ids.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let missing = 10_000 - (ids.len() - twice);
        assert!(
            (850..1150).contains(&missing) && (750..1050).contains(&twice),
            "{missing} missing, {twice} twice"
        );
    });
}

#[test]
fn a_recording_is_played_at_its_pace_and_ends() {
    run(async {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(
            &mut file,
            b"{\"at\":10,\"frame\":\"a\"}\n{\"at\":14,\"frame\":\"b\"}\n",
        )
        .unwrap();
        let stage = start(json!({"file": file.path(), "speed": 2})).await;
        pass(Duration::from_millis(1900)).await;
        assert_eq!(stage.sent.next().unwrap().get(0).payload(), b"a");
        assert!(stage.sent.next().is_none());
        pass(Duration::from_millis(200)).await;
        assert_eq!(stage.sent.next().unwrap().get(0).payload(), b"b");
        stage.task.await.unwrap();
    });
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let problems = |settings| {
        serde_json::from_value::<Config>(settings)
            .unwrap()
            .problems()
            .len()
    };
    assert_eq!(
        problems(json!({"file": "a", "rate": 1, "symbols": ["X"], "format": "upbit"})),
        3
    );
    assert_eq!(problems(json!({"loop": true})), 1);
    assert_eq!(
        problems(json!({"symbols": ["", "a b", "KRW-BTC", "\""]})),
        3
    );
    assert_eq!(problems(json!({"file": "a", "loop": true, "speed": 3})), 0);
}
