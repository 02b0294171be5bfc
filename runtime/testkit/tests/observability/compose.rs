//! The containers beside the demo: what they mount is there, and nothing listens for other machines.

use std::collections::BTreeSet;

use pipeline_testkit::repository;
use serde_json::Value;

use crate::rules::yaml;

#[test]
fn containers_mount_files_that_are_there_and_volumes_that_are_named() {
    let compose = compose();
    for (name, service) in services(&compose) {
        for mount in service["volumes"].as_array().expect("volumes") {
            let source = mount
                .as_str()
                .expect("a mount")
                .split(':')
                .next()
                .unwrap_or_default();
            let is_there = if source.starts_with(['.', '/']) {
                repository().join("observability").join(source).exists()
            } else {
                compose["volumes"].get(source).is_some()
            };
            assert!(is_there, "{name} mounts `{source}`");
        }
    }
}

#[test]
fn containers_are_of_a_version_and_can_do_little() {
    for (name, service) in services(&compose()) {
        let image = service["image"].as_str().expect("an image");
        let version = image.rsplit_once(':').map(|(_, version)| version);
        assert!(
            version.is_some_and(|version| version.contains('.')),
            "{name}: `{image}`"
        );
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}");
        assert!(service["healthcheck"]["test"].is_array(), "{name}");
    }
}

/// Every address that a service is told or asked at is this machine's own.
#[test]
fn containers_speak_to_this_machine_alone() {
    let compose = compose();
    for (name, service) in services(&compose) {
        let text = service.to_string();
        let addresses: BTreeSet<&str> = text
            .split(['"', '=', '/'])
            .filter(|part| {
                part.split_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
            })
            .collect();
        assert!(!addresses.is_empty(), "{name} has no address");
        assert!(
            addresses
                .iter()
                .all(|address| address.starts_with("127.0.0.1:")),
            "{name}: {addresses:?}"
        );
    }
}

fn compose() -> Value {
    yaml(&repository().join("observability/compose.yaml"))
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().expect("services").iter()
}
