//! Kafka behind TLS, passwords and permissions: who comes in, what is told to who does not, and that it costs nothing.

use std::fs;

use pipeline_testkit::kafka::{self, GUEST, KafkaCluster, MASTER, PASSWORD, Resource, STRANGER};
use pipeline_testkit::{Pipeline, Running, eventually, unique};

use crate::scene::{Topic, WITHIN, is_degraded, trade};

const MESSAGES: i32 = 500;
const WRONG_PASSWORD: &str = "wrong-horse";

/// Brokers, and the settings that go with them.
struct Door {
    brokers: String,
    settings: String,
}

impl Door {
    fn certificate(kafka: &KafkaCluster) -> Self {
        let certificates = kafka.certificates();
        Self {
            brokers: kafka.tls_brokers(),
            settings: format!(
                "tls: {{ ca_file: '{}', cert_file: '{}', key_file: '{}' }}",
                certificates.authority().display(),
                certificates.client().display(),
                certificates.client_key().display()
            ),
        }
    }

    fn password(kafka: &KafkaCluster, mechanism: &str) -> Self {
        Self {
            brokers: kafka.sasl_brokers(),
            settings: sasl(mechanism, MASTER, PASSWORD),
        }
    }

    fn encrypted_password(
        kafka: &KafkaCluster,
        mechanism: &str,
        user: &str,
        password: &str,
    ) -> Self {
        let ca_file = kafka.certificates().authority();
        Self {
            brokers: kafka.sasl_tls_brokers(),
            settings: format!(
                "tls: {{ ca_file: '{}' }}, {}",
                ca_file.display(),
                sasl(mechanism, user, password)
            ),
        }
    }

    fn user(kafka: &KafkaCluster, user: &str) -> Self {
        Self::encrypted_password(kafka, "SCRAM-SHA-512", user, PASSWORD)
    }

    /// The same brokers with other settings.
    fn with(&self, settings: &str) -> Self {
        Self {
            brokers: self.brokers.clone(),
            settings: settings.to_owned(),
        }
    }
}

fn sasl(mechanism: &str, username: &str, password: &str) -> String {
    format!("sasl: {{ mechanism: {mechanism}, username: {username}, password: {password} }}")
}

/// A flow that copies one topic to another.
struct Copy<'a> {
    from: Topic<'a>,
    to: String,
}

impl<'a> Copy<'a> {
    async fn make(kafka: &'a KafkaCluster) -> Self {
        let from = Topic::make(kafka, 1).await;
        let to = unique("copies");
        kafka.create_topic(&to, 1).await;
        from.write(MESSAGES, trade).await;
        Self { from, to }
    }

    fn yaml(&self, reader: &Door, writer: &Door) -> String {
        format!(
            "stages:
               - {{ use: kafka-group-source, with: {{ brokers: '{}', topic: {}, group: {}, {} }} }}
               - {{ use: kafka-sink, with: {{ brokers: '{}', topic: {}, {} }} }}",
            reader.brokers,
            self.from.name,
            self.from.group,
            reader.settings,
            writer.brokers,
            self.to,
            writer.settings
        )
    }

    fn start(&self, reader: &Door, writer: &Door) -> Running {
        Pipeline::run_text(&self.yaml(reader, writer)).spawn()
    }

    /// Gives a running flow other settings.
    fn change(&self, pipeline: &mut Running, reader: &Door, writer: &Door) {
        let file = pipeline.folder().join("pipeline.yaml");
        fs::write(file, self.yaml(reader, writer)).unwrap();
        pipeline.sighup();
    }

    /// Waits until all is copied, and asserts that it is, once and in order, and that no password was told.
    async fn is_whole(&self, pipeline: &mut Running) {
        pipeline.ready().await;
        let kafka = self.from.kafka;
        eventually(WITHIN, "all copies", async || {
            match kafka.end_offsets(&self.to)[..] {
                [copies] if copies >= i64::from(MESSAGES) => Ok(()),
                ref copies => Err(format!("{copies:?}")),
            }
        })
        .await;
        pipeline.sigterm();
        assert_eq!(pipeline.exit_code(WITHIN).await, 0);
        let payloads = async |topic| {
            let records = kafka.read_topic(topic).await;
            let payloads = records.into_iter().map(|record| record.payload);
            payloads.collect::<Vec<_>>()
        };
        assert_eq!(payloads(&self.to).await, payloads(&self.from.name).await);
        assert_eq!(self.from.committed(), self.from.ends());
        let log = pipeline.stderr();
        for password in [PASSWORD, WRONG_PASSWORD] {
            assert!(!log.contains(password), "a password is logged: {log}");
        }
    }
}

async fn both_say(pipeline: &Running, why: &str) {
    is_degraded(pipeline, "kafka-group-source", why).await;
    is_degraded(pipeline, "kafka-sink", why).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_with_a_certificate_and_with_every_kind_of_password() {
    let kafka = kafka::cluster().shared();
    let doors = [
        Door::certificate(&kafka),
        Door::password(&kafka, "SCRAM-SHA-256"),
        Door::encrypted_password(&kafka, "PLAIN", MASTER, PASSWORD),
        Door::encrypted_password(&kafka, "SCRAM-SHA-512", MASTER, PASSWORD),
    ];
    for door in doors {
        let copy = Copy::make(&kafka).await;
        let mut pipeline = copy.start(&door, &door);
        copy.is_whole(&mut pipeline).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_costs_nothing_once_it_is_right() {
    let kafka = kafka::cluster().shared();
    let right = Door::user(&kafka, MASTER);
    let wrong = Door::encrypted_password(&kafka, "SCRAM-SHA-512", MASTER, WRONG_PASSWORD);
    let copy = Copy::make(&kafka).await;
    let mut pipeline = copy.start(&wrong, &wrong);
    both_say(&pipeline, "invalid credentials").await;
    copy.change(&mut pipeline, &right, &wrong);
    is_degraded(&pipeline, "kafka-sink", "invalid credentials").await;
    copy.change(&mut pipeline, &right, &right);
    copy.is_whole(&mut pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_with_a_certificate_of_another_authority_are_not_trusted_and_told() {
    let kafka = kafka::cluster().shared();
    let right = Door::user(&kafka, MASTER);
    let certificates = kafka.certificates();
    let wrong = right.with(&right.settings.replace(
        &certificates.authority().display().to_string(),
        &certificates.other_authority().display().to_string(),
    ));
    let copy = Copy::make(&kafka).await;
    let mut pipeline = copy.start(&wrong, &wrong);
    both_say(&pipeline, "verify that `tls.ca_file` is correct").await;
    copy.change(&mut pipeline, &right, &right);
    copy.is_whole(&mut pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_told_and_costs_nothing_once_it_is_given() {
    let kafka = kafka::cluster().shared();
    let guest = Door::user(&kafka, GUEST);
    let copy = Copy::make(&kafka).await;
    // Who may write no topic at all gets no producer id: another case, see below.
    kafka
        .allow(GUEST, Resource::Topic(&unique("another")))
        .await;
    let mut pipeline = copy.start(&guest, &guest);
    let topic = format!("topic `{}`", copy.from.name);
    is_degraded(&pipeline, "kafka-group-source", &topic).await;
    kafka.allow(GUEST, Resource::Topic(&copy.from.name)).await;
    let group = format!("group `{}`", copy.from.group);
    is_degraded(&pipeline, "kafka-group-source", &group).await;
    kafka.allow(GUEST, Resource::Group(&copy.from.group)).await;
    let topic = format!("topic `{}`", copy.to);
    is_degraded(&pipeline, "kafka-sink", &topic).await;
    kafka.allow(GUEST, Resource::Topic(&copy.to)).await;
    copy.is_whole(&mut pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_the_brokers_refuse_for_good_says_so_and_starts_anew() {
    let kafka = kafka::cluster().shared();
    let (master, stranger) = (Door::user(&kafka, MASTER), Door::user(&kafka, STRANGER));
    let copy = Copy::make(&kafka).await;
    let mut pipeline = copy.start(&master, &stranger);
    is_degraded(&pipeline, "kafka-sink", "may write to no topic").await;
    copy.change(&mut pipeline, &master, &master);
    copy.is_whole(&mut pipeline).await;
}
