//! The stage: serves the member and hands out what it reads.

use crate::listener::Listener;
use crate::member::Member;
use crate::partition::Outgoing;
use crate::settings::Settings;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::BaseConsumer;
use stage_kafka_client::Monitor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

pub(crate) struct KafkaGroupSource {
    context: Context,
    member: Member,
    wake: Arc<Notify>,
}

impl Source for KafkaGroupSource {
    const NAME: &'static str = "kafka-group-source";
    const REPLAYABLE: bool = true;
    type Config = Settings;

    fn validate(config: &Settings) -> Vec<Invalid> {
        config.validate()
    }

    async fn open(settings: Settings, context: Context) -> Result<Self> {
        settings.connection.check_files(&context)?;
        let id = settings.member_id(context.instance(), &crate::host::name()?);
        let monitor = Monitor::new(context.clone(), &settings.connection.brokers);
        let wake = Arc::new(Notify::new());
        let client = settings.client_config(Some(&context), &id);
        let mut consumer: BaseConsumer<Listener> =
            client.create_with_context(Listener::new(monitor))?;
        let waker = wake.clone();
        consumer.set_nonempty_callback(move || waker.notify_one());
        let mut member = Member::new(settings, id, &context, consumer, wake.clone());
        member.join_when_allowed()?;
        member.watch_topic();
        member.watch_layout();
        Ok(KafkaGroupSource {
            context,
            member,
            wake,
        })
    }

    async fn run(&mut self, output: &mut Output) -> Result<()> {
        while !self.context.is_draining() {
            self.serve()?;
            match self.member.next(output)? {
                Some(outgoing) => self.send(outgoing, output).await?,
                None => self.wait().await,
            }
        }
        while !self.member.is_settled() {
            self.serve()?;
            self.wait().await;
        }
        while !self.member.commit_at_last()? {
            self.wait().await;
            self.serve()?;
        }
        Ok(())
    }

    async fn close(mut self) -> Result<()> {
        self.member.leave()?;
        while !self.member.has_left() {
            self.serve()?;
            self.wait().await;
        }
        Ok(())
    }
}

impl KafkaGroupSource {
    fn serve(&mut self) -> Result<()> {
        self.member.serve()?;
        if let Some(statistics) = self.member.take_statistics() {
            self.member.publish(&statistics);
        }
        Ok(())
    }

    /// Hands out a batch, serving the member while there is no credit. A batch that waits when its partition is taken away, or
    /// when the stage drains, is taken back: Kafka has it.
    async fn send(&mut self, outgoing: Outgoing, output: &mut Output) -> Result<()> {
        let Outgoing {
            batch,
            assignment,
            token,
        } = outgoing;
        {
            let mut sending = pin!(output.send(batch));
            loop {
                tokio::select! {
                    biased;
                    sent = &mut sending => return Ok(sent?),
                    () = self.wait() => {}
                }
                self.serve()?;
                if self.context.is_draining() || self.member.is_taken_away(&assignment) {
                    break;
                }
            }
        }
        output.discard();
        assignment.take_back(token);
        Ok(())
    }

    /// Waits until something happens or time is up.
    async fn wait(&self) {
        let deadline = self.member.deadline(Instant::now()).into();
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = self.context.draining(), if !self.context.is_draining() => {}
        }
    }
}
