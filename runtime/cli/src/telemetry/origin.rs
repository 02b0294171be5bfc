//! Who made a span, as OpenTelemetry's resource.

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use pipeline_host::SpanRecord;

const SERVICE_NAME: &str = "service.name";
const INSTANCE_ID: &str = "service.instance.id";
const HOST_NAME: &str = "host.name";

/// One copy of a flow, or the runtime itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    flow: Option<(String, u32)>,
}

impl Origin {
    /// The copy of a flow whose stage made the span.
    pub(super) fn of(record: &SpanRecord<'_>) -> Self {
        Origin {
            flow: record
                .stage
                .map(|(flow, _, instance)| (flow.to_owned(), instance)),
        }
    }

    /// The runtime itself.
    pub(super) fn runtime() -> Self {
        Origin { flow: None }
    }

    /// Its attributes; those of `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` come before ours.
    pub(super) fn resource(&self, service_name: Option<&str>) -> Resource {
        let asked = Resource::builder_empty()
            .with_detector(Box::new(EnvResourceDetector::new()))
            .build();
        let host = asked
            .get(&Key::from_static_str(HOST_NAME))
            .map_or_else(host_name, |name| name.as_str().into_owned());
        let (flow, instance) = match &self.flow {
            Some((flow, instance)) => (flow.as_str(), format!("{host}/{instance}")),
            None => ("pipeline", host.clone()),
        };
        let ours = [
            KeyValue::new(SERVICE_NAME, flow.to_owned()),
            KeyValue::new(INSTANCE_ID, instance),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new(HOST_NAME, host),
            KeyValue::new("process.pid", i64::from(std::process::id())),
        ];
        Resource::builder_empty()
            .with_attributes(ours)
            .with_attributes(
                asked
                    .iter()
                    .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
            )
            .with_attributes(service_name.map(|name| KeyValue::new(SERVICE_NAME, name.to_owned())))
            .build()
    }
}

/// The host's name, without its domain.
fn host_name() -> String {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_flow_is_a_service_instance() {
        let origin = Origin {
            flow: Some(("consumer".to_owned(), 2)),
        };
        let resource = origin.resource(None);
        let get = |name| {
            let value = resource.get(&Key::from_static_str(name));
            value.map(|value| value.as_str().into_owned())
        };
        assert_eq!(get(SERVICE_NAME).as_deref(), Some("consumer"));
        assert_eq!(get(INSTANCE_ID), Some(format!("{}/2", host_name())));
        let named = origin.resource(Some("mine"));
        assert_eq!(
            named.get(&Key::from_static_str(SERVICE_NAME)),
            Some("mine".into())
        );
    }
}
