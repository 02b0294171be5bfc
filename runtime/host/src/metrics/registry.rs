//! The instruments of all plugins: registered once, kept over restarts, bounded.

use super::{Family, FamilyKind, HOST_FAMILIES, HostFamily, Instrument, Sample, Snapshot};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Most series of one process; a label with unbounded values hits it instead of the memory.
const SERIES_MAX: usize = 10_000;
/// Most labels of one series, without those that the host adds.
const LABELS_MAX: usize = 8;
/// Longest value of a label, bytes.
const LABEL_MAX: usize = 1024;
/// Words behind a name that the exposition adds.
const SUFFIXES: [&str; 5] = ["total", "created", "bucket", "count", "sum"];
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
    #[error("the name `{0}` ends with its unit, `_total` or another word that the exposition adds")]
    Suffix(String),
    #[error("the unit `{0}` is not a lowercase word")]
    Unit(String),
    #[error("the label `{0}` is not a lowercase word, comes twice, or is one that the host adds")]
    Label(String),
    #[error("{0} labels, expected at most {LABELS_MAX}")]
    Labels(usize),
    #[error("a histogram needs 1 to {BOUNDS_MAX} finite bounds from 0 in ascending order")]
    Bounds,
    #[error("a value of the label `{0}` is longer than {LABEL_MAX} bytes")]
    Value(String),
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
    /// By the name that is exposed: with the unit.
    by_name: BTreeMap<String, Registered>,
    series: usize,
}

struct Registered {
    name: String,
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
        let full_name = full_name(&spec.name, &spec.unit);
        if full && !families.by_name.contains_key(&full_name) {
            return Err(Refused::Full);
        }
        let family = families
            .by_name
            .entry(full_name)
            .or_insert_with(|| Registered {
                name: spec.name.clone(),
                unit: spec.unit.clone(),
                help: spec.help.clone(),
                kind: spec.kind,
                bounds: spec.bounds.clone(),
                series: BTreeMap::new(),
            });
        let is_same = family.name == spec.name && family.unit == spec.unit;
        if !is_same || family.kind != spec.kind || family.bounds != spec.bounds {
            return Err(Refused::Mismatch(spec.name.clone()));
        }
        let labels: Vec<_> = own.iter().chain(&spec.labels).cloned().collect();
        if let Some(instrument) = family.series.get(&labels) {
            instrument.show();
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

    /// Takes out the gauges of an instance that is closed: its labels are `own`.
    pub(crate) fn retire(&self, own: &[(String, String)]) {
        for family in self.families.lock().by_name.values() {
            let of_instance = |(labels, _): &(&Vec<_>, _)| labels.starts_with(own);
            let series = family.series.iter().filter(of_instance);
            series.for_each(|(_, instrument)| instrument.hide());
        }
    }

    /// Adds all instruments to a snapshot.
    pub(crate) fn collect(&self, snapshot: &mut Snapshot) {
        let families = self.families.lock();
        snapshot
            .families
            .extend(families.by_name.values().map(|family| Family {
                name: family.name.clone(),
                unit: family.unit.clone(),
                help: family.help.clone(),
                kind: family.kind,
                samples: family.series.iter().filter_map(sample).collect(),
            }));
    }
}

fn sample((labels, instrument): (&Vec<(String, String)>, &&'static Instrument)) -> Option<Sample> {
    Some(Sample {
        labels: labels.clone(),
        value: instrument.value()?,
    })
}

fn full_name(name: &str, unit: &str) -> String {
    match unit {
        "" => name.to_owned(),
        unit => format!("{name}_{unit}"),
    }
}

fn check(spec: &Spec) -> Result<(), Refused> {
    if !spec.name.starts_with("pipeline_") || !is_word(&spec.name) {
        return Err(Refused::Name(spec.name.clone()));
    }
    if !spec.unit.is_empty() && !is_word(&spec.unit) {
        return Err(Refused::Unit(spec.unit.clone()));
    }
    let exposed = full_name(&spec.name, &spec.unit);
    let is_own = |family: &HostFamily| full_name(family.name, family.unit) == exposed;
    if HOST_FAMILIES.iter().any(is_own) {
        return Err(Refused::Taken(spec.name.clone()));
    }
    let ends_with = |word: &str| {
        spec.name
            .strip_suffix(word)
            .is_some_and(|rest| rest.ends_with('_'))
    };
    if SUFFIXES.into_iter().any(ends_with) || (!spec.unit.is_empty() && ends_with(&spec.unit)) {
        return Err(Refused::Suffix(spec.name.clone()));
    }
    check_labels(&spec.labels)?;
    let ascending = spec.bounds.windows(2).all(|pair| pair[0] < pair[1]);
    let fit = |bound: &f64| bound.is_finite() && *bound >= 0.0;
    let finite = spec.bounds.iter().all(fit);
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
    for (index, (name, value)) in labels.iter().enumerate() {
        if value.len() > LABEL_MAX {
            return Err(Refused::Value(name.clone()));
        }
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
    use super::super::Value;
    use super::*;
    use pipeline_abi::PL_GAUGE_ABSENT;

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
        assert_eq!(first.value(), Some(Value::Counter(5)));
    }

    #[test]
    fn a_gauge_is_there_while_its_instance_is_or_keeps_it() {
        let registry = Registry::default();
        let spec = spec("pipeline_things", FamilyKind::Gauge);
        let own = |instance: &str| vec![("instance".to_owned(), instance.to_owned())];
        let gauge = registry.instrument(&spec, &own("0")).unwrap();
        let other = registry.instrument(&spec, &own("1")).unwrap();
        other.record(2_f64.to_bits());
        gauge.record(PL_GAUGE_ABSENT);
        assert_eq!(gauge.value(), None);
        gauge.record(3_f64.to_bits());
        assert_eq!(gauge.value(), Some(Value::Gauge(3.0)));
        registry.retire(&own("0"));
        assert_eq!(gauge.value(), None);
        assert_eq!(other.value(), Some(Value::Gauge(2.0)));
        registry.instrument(&spec, &own("0")).unwrap();
        assert_eq!(gauge.value(), Some(Value::Gauge(0.0)));
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
        assert!(matches!(
            refused(&spec("pipeline_message_age_seconds", FamilyKind::Gauge)),
            Refused::Taken(_)
        ));
        assert!(matches!(
            refused(&spec("pipeline_things_bucket", FamilyKind::Gauge)),
            Refused::Suffix(_)
        ));
        let mut long = spec("pipeline_things", FamilyKind::Gauge);
        long.labels = vec![("what".into(), "x".repeat(LABEL_MAX + 1))];
        assert_eq!(refused(&long), Refused::Value("what".into()));
        let mut labelled = spec("pipeline_things", FamilyKind::Gauge);
        labelled.labels = vec![("stage".into(), "x".into())];
        assert!(matches!(refused(&labelled), Refused::Label(_)));
        let mut bounded = spec("pipeline_things", FamilyKind::Histogram);
        for bounds in [vec![2.0, 1.0], vec![-1.0, 1.0], vec![f64::NAN], vec![]] {
            bounded.bounds = bounds;
            assert_eq!(refused(&bounded), Refused::Bounds);
        }
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
