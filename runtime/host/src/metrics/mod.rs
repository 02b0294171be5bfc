//! Numbers: what the host measures of every edge and stage, and what plugins measure themselves.

mod collect;
mod exemplar;
mod families;
mod histogram;
mod instrument;
mod registry;
mod snapshot;

pub(crate) use collect::collect;
pub use exemplar::Exemplar;
pub(crate) use exemplar::Exemplars;
pub use families::{HOST_FAMILIES, HostFamily};
pub(crate) use histogram::{Distribution, Timings};
pub(crate) use instrument::Instrument;
pub(crate) use registry::{Registry, Spec};
pub use snapshot::{Family, FamilyKind, Sample, Snapshot, Value};
