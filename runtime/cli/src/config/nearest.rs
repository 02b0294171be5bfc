//! The nearest valid name, for whoever mistyped one.

/// Names shown in an "expected" list before it is cut.
const MAX_LISTED: usize = 12;

/// The candidate that looks most like `name`, if one does.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (likeness(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// "expected `a`, `b`", the nearest name first.
pub(crate) fn expected<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let mut candidates: Vec<_> = candidates.into_iter().collect();
    let best = nearest(name, candidates.iter().copied());
    candidates.sort_by_key(|candidate| (Some(*candidate) != best, *candidate));
    let mut list: Vec<_> = candidates
        .iter()
        .take(MAX_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    if candidates.len() > MAX_LISTED {
        list.push(format!("{} more", candidates.len() - MAX_LISTED));
    }
    match list.as_slice() {
        [] => "expected nothing".to_owned(),
        list => format!("expected {}", list.join(", ")),
    }
}

fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (
        a.to_lowercase().replace('_', "-"),
        b.to_lowercase().replace('_', "-"),
    );
    strsim::normalized_damerau_levenshtein(&a, &b).max(strsim::jaro_winkler(&a, &b) - 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_a_strange_word_finds_none() {
        let stages = ["kafka-sink", "http-post", "ws-broadcast"];
        assert_eq!(nearest("kafak-sink", stages), Some("kafka-sink"));
        assert_eq!(nearest("kafka_sink", stages), Some("kafka-sink"));
        assert_eq!(nearest("banana", stages), None);
    }

    #[test]
    fn the_nearest_name_is_listed_first() {
        assert_eq!(
            expected("uri", ["headers", "timeout", "url"]),
            "expected `url`, `headers`, `timeout`"
        );
    }
}
