//! The instruments of all plugins: registered once, kept over restarts, bounded.

use super::{Family, FamilyKind, HOST_FAMILIES, Instrument, Sample, Snapshot};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Most series of one process; a label with unbounded values hits it instead of the memory.
const SERIES_MAX: usize = 10_000;
/// Most labels of one series, without those that the host adds.
const LABELS_MAX: usize = 8;
/// Most buckets of one histogram.
const BOUNDS_MAX: usize = 64;
/// Labels that the host adds to every series.
const OWN_LABELS: [&str; 3] = ["flow", "stage", "instance"];

/// What an instrument is to be.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) help: String,
    pub(crate) kind: FamilyKind,
    /// The plugin's own labels.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) bounds: Vec<f64>,
}

/// Why an instrument is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the name `{0}` is not `pipeline_` followed by lowercase words joined by `_`")]
    Name(String),
    #[error("the name `{0}` is the host's own")]
    Taken(String),
    #[error("the name `{0}` ends with `_total` or its unit, which the exposition adds")]
    Suffix(String),
    #[error("the unit `{0}` is not a lowercase word")]
    Unit(String),
    #[error("the label `{0}` is not a lowercase word, comes twice, or is one that the host adds")]
    Label(String),
    #[error("{0} labels, expected at most {LABELS_MAX}")]
    Labels(usize),
    #[error("a histogram needs 1 to {BOUNDS_MAX} finite bounds in ascending order")]
    Bounds,
    #[error("`{0}` was registered before with another kind, unit or bounds")]
    Mismatch(String),
    #[error("the process has {SERIES_MAX} series, which is the most")]
    Full,
}

#[derive(Default)]
pub(crate) struct Registry {
    families: Mutex<Families>,
}

#[derive(Default)]
struct Families {
    by_name: BTreeMap<String, Registered>,
    series: usize,
}

struct Registered {
    unit: String,
    help: String,
    kind: FamilyKind,
    bounds: Vec<f64>,
    series: BTreeMap<Vec<(String, String)>, &'static Instrument>,
}

impl Registry {
    /// The instrument of a specification, the same one for the same specification. `own` are the labels of the instance.
    pub(crate) fn instrument(
        &self,
        spec: &Spec,
        own: &[(String, String)],
    ) -> Result<&'static Instrument, Refused> {
        check(spec)?;
        let mut families = self.families.lock();
        let families = &mut *families;
        let full = families.series == SERIES_MAX;
        if full && !families.by_name.contains_key(&spec.name) {
            return Err(Refused::Full);
        }
        let family = families
            .by_name
            .entry(spec.name.clone())
            .or_insert_with(|| Registered {
                unit: spec.unit.clone(),
                help: spec.help.clone(),
                kind: spec.kind,
                bounds: spec.bounds.clone(),
                series: BTreeMap::new(),
            });
        if family.kind != spec.kind || family.unit != spec.unit || family.bounds != spec.bounds {
            return Err(Refused::Mismatch(spec.name.clone()));
        }
        let labels: Vec<_> = own.iter().chain(&spec.labels).cloned().collect();
        if let Some(instrument) = family.series.get(&labels) {
            return Ok(instrument);
        }
        if full {
            return Err(Refused::Full);
        }
        families.series += 1;
        let instrument: &'static Instrument =
            Box::leak(Box::new(Instrument::new(spec.kind, &spec.bounds)));
        family.series.insert(labels, instrument);
        Ok(instrument)
    }

    /// Adds all instruments to a snapshot.
    pub(crate) fn collect(&self, snapshot: &mut Snapshot) {
        let families = self.families.lock();
        snapshot
            .families
            .extend(families.by_name.iter().map(|(name, family)| Family {
                name: name.clone(),
                unit: family.unit.clone(),
                help: family.help.clone(),
                kind: family.kind,
                samples: family.series.iter().map(sample).collect(),
            }));
    }
}

fn sample((labels, instrument): (&Vec<(String, String)>, &&'static Instrument)) -> Sample {
    Sample {
        labels: labels.clone(),
        value: instrument.value(),
    }
}

fn check(spec: &Spec) -> Result<(), Refused> {
    if !spec.name.starts_with("pipeline_") || !is_word(&spec.name) {
        return Err(Refused::Name(spec.name.clone()));
    }
    if !spec.unit.is_empty() && !is_word(&spec.unit) {
        return Err(Refused::Unit(spec.unit.clone()));
    }
    if HOST_FAMILIES.iter().any(|family| family.name == spec.name) {
        return Err(Refused::Taken(spec.name.clone()));
    }
    let ends_with = |word: &str| {
        spec.name
            .strip_suffix(word)
            .is_some_and(|rest| rest.ends_with('_'))
    };
    if ends_with("total") || (!spec.unit.is_empty() && ends_with(&spec.unit)) {
        return Err(Refused::Suffix(spec.name.clone()));
    }
    check_labels(&spec.labels)?;
    let ascending = spec.bounds.windows(2).all(|pair| pair[0] < pair[1]);
    let finite = spec.bounds.iter().all(|bound| bound.is_finite());
    let wanted = if spec.kind == FamilyKind::Histogram {
        1..=BOUNDS_MAX
    } else {
        0..=0
    };
    if wanted.contains(&spec.bounds.len()) && ascending && finite {
        Ok(())
    } else {
        Err(Refused::Bounds)
    }
}

fn check_labels(labels: &[(String, String)]) -> Result<(), Refused> {
    if labels.len() > LABELS_MAX {
        return Err(Refused::Labels(labels.len()));
    }
    for (index, (name, _)) in labels.iter().enumerate() {
        let twice = labels[..index].iter().any(|(other, _)| other == name);
        if !is_word(name) || twice || OWN_LABELS.contains(&name.as_str()) {
            return Err(Refused::Label(name.clone()));
        }
    }
    Ok(())
}

/// A lowercase word of letters, digits and `_` that begins with a letter.
fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 100
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, kind: FamilyKind) -> Spec {
        let bounds = if kind == FamilyKind::Histogram {
            vec![1.0]
        } else {
            vec![]
        };
        Spec {
            name: name.into(),
            unit: String::new(),
            help: String::new(),
            kind,
            labels: vec![],
            bounds,
        }
    }

    #[test]
    fn same_specification_gives_the_same_instrument() {
        let registry = Registry::default();
        let spec = spec("pipeline_things", FamilyKind::Counter);
        let first = registry.instrument(&spec, &[]).unwrap();
        first.record(2);
        registry.instrument(&spec, &[]).unwrap().record(3);
        assert_eq!(first.value(), super::super::Value::Counter(5));
    }

    #[test]
    fn other_kind_under_the_same_name_is_refused() {
        let registry = Registry::default();
        registry
            .instrument(&spec("pipeline_things", FamilyKind::Counter), &[])
            .unwrap();
        let refused = registry
            .instrument(&spec("pipeline_things", FamilyKind::Gauge), &[])
            .unwrap_err();
        assert_eq!(refused, Refused::Mismatch("pipeline_things".into()));
    }

    #[test]
    fn names_and_labels_are_checked() {
        let registry = Registry::default();
        let refused = |spec: &Spec| registry.instrument(spec, &[]).unwrap_err();
        assert!(matches!(
            refused(&spec("things", FamilyKind::Gauge)),
            Refused::Name(_)
        ));
        assert!(matches!(
            refused(&spec("pipeline_things_total", FamilyKind::Counter)),
            Refused::Suffix(_)
        ));
        assert!(matches!(
            refused(&spec("pipeline_edge_messages", FamilyKind::Counter)),
            Refused::Taken(_)
        ));
        let mut labelled = spec("pipeline_things", FamilyKind::Gauge);
        labelled.labels = vec![("stage".into(), "x".into())];
        assert!(matches!(refused(&labelled), Refused::Label(_)));
        let mut bounded = spec("pipeline_things", FamilyKind::Histogram);
        bounded.bounds = vec![2.0, 1.0];
        assert_eq!(refused(&bounded), Refused::Bounds);
    }

    #[test]
    fn number_of_series_is_bounded() {
        let registry = Registry::default();
        let mut spec = spec("pipeline_things", FamilyKind::Counter);
        for index in 0..SERIES_MAX {
            spec.labels = vec![("index".into(), index.to_string())];
            registry.instrument(&spec, &[]).unwrap();
        }
        spec.labels = vec![("index".into(), "one more".into())];
        assert_eq!(registry.instrument(&spec, &[]).unwrap_err(), Refused::Full);
    }
}
