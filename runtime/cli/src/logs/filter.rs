//! What is logged: `info`, `warn,ws-broadcast=debug`, `info,stage_kafka_sink=trace`.
//!
//! A name is a flow, a stage, or the beginning of a module path; the longest one that fits an entry decides.

use super::entry::{Entry, Level};

/// Names that one filter may hold.
const MAX_NAMES: usize = 64;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// For whatever no name fits; `None` is `off`.
    default: Option<Level>,
    /// Longest name first.
    names: Vec<(String, Option<Level>)>,
}

impl Filter {
    /// Parses a filter.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Filter {
            default: Some(Level::Info),
            names: Vec::new(),
        };
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            match part.split_once('=') {
                Some((name, level)) => filter
                    .names
                    .push((name.trim().to_owned(), parse_level(level.trim())?)),
                None => filter.default = parse_level(part)?,
            }
        }
        if filter.names.len() > MAX_NAMES {
            return Err(format!(
                "{} names (expected at most {MAX_NAMES})",
                filter.names.len()
            ));
        }
        filter
            .names
            .sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Ok(filter)
    }

    /// Whether an entry is written.
    pub(crate) fn allows(&self, entry: &Entry) -> bool {
        let fits = |name: &str| {
            is_part(&entry.target, name)
                || entry
                    .origin
                    .as_ref()
                    .is_some_and(|origin| origin.stage == name || origin.flow == name)
        };
        let level = self
            .names
            .iter()
            .find(|(name, _)| fits(name))
            .map_or(self.default, |(_, level)| *level);
        level.is_some_and(|level| entry.level <= level)
    }

    /// The most detailed level that any entry may have.
    pub(crate) fn most_detailed(&self) -> Option<Level> {
        self.names
            .iter()
            .map(|(_, level)| *level)
            .chain([self.default])
            .max()
            .flatten()
    }
}

fn is_part(target: &str, name: &str) -> bool {
    target
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn parse_level(text: &str) -> Result<Option<Level>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let found = Level::ALL
        .into_iter()
        .find(|level| level.name().eq_ignore_ascii_case(text));
    found.map(Some).ok_or_else(|| {
        format!(
            "`{text}` is no level (expected `error`, `warn`, `info`, `debug`, `trace` or `off`)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::entry::Origin;

    fn entry(level: Level, target: &str, stage: Option<&str>) -> Entry {
        Entry {
            target: target.to_owned(),
            origin: stage.map(|stage| Origin {
                flow: "consumer".to_owned(),
                stage: stage.to_owned(),
                instance: 0,
            }),
            ..Entry::own(level, "x")
        }
    }

    #[test]
    fn the_longest_name_decides() {
        let filter =
            Filter::parse("warn, consumer=off, ws-broadcast=debug, stage_x::ring=trace").unwrap();
        assert!(!filter.allows(&entry(Level::Info, "pipeline", None)));
        assert!(filter.allows(&entry(Level::Debug, "stage_x", Some("ws-broadcast"))));
        assert!(!filter.allows(&entry(Level::Error, "stage_y", Some("http-post"))));
        assert!(filter.allows(&entry(Level::Trace, "stage_x::ring::cursor", None)));
        assert!(!filter.allows(&entry(Level::Trace, "stage_x::ringer", None)));
        assert_eq!(filter.most_detailed(), Some(Level::Trace));
    }

    #[test]
    fn a_wrong_level_is_an_error() {
        assert!(
            Filter::parse("loud")
                .unwrap_err()
                .contains("`loud` is no level")
        );
        assert_eq!(Filter::parse("off").unwrap().most_detailed(), None);
        assert_eq!(Filter::parse("").unwrap(), Filter::parse("info").unwrap());
    }
}
