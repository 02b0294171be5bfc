//! The answer to a request of envelopes, and what else an answer says about messages.

use std::collections::BTreeMap;

use stage_envelope::Answer as EnvelopeAnswer;

/// The most bytes of an answer that are read: room for the reasons of some thousand rejected messages.
pub(crate) const ANSWER_LIMIT: usize = 1 << 20;

/// The most characters of an answer that go into a reason.
const LONGEST_EXCERPT: usize = 200;

/// Messages that the receiver can never take, by their place in the request, with its reasons.
pub(crate) type Rejected = BTreeMap<usize, String>;

/// Reads which of `sent` messages the receiver rejected. `None`: the answer is none of the envelope contract, or names
/// messages that were not sent.
pub(crate) fn rejected(body: &[u8], sent: usize) -> Option<Rejected> {
    let answer: EnvelopeAnswer = serde_json::from_slice(body).ok()?;
    let rejected: Rejected = answer
        .rejected
        .into_iter()
        .map(|one| (one.index, one.reason))
        .collect();
    rejected
        .keys()
        .all(|index| *index < sent)
        .then_some(rejected)
}

/// The beginning of an answer as one line of text, for a reason that people read; each of `secrets` is masked, since
/// some receivers answer with what they were sent.
pub(crate) fn excerpt(body: &[u8], secrets: &[String]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in secrets {
        text = text.replace(secret, "***");
    }
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_messages_are_read_with_their_reasons() {
        let body = br#"{"accepted":1,"duplicates":0,"rejected":[{"index":1,"reason":"no"}],"later":"field"}"#;
        assert_eq!(
            rejected(body, 2),
            Some(BTreeMap::from([(1, "no".to_owned())]))
        );
    }

    #[test]
    fn an_answer_without_rejects_is_read() {
        assert_eq!(
            rejected(br#"{"accepted":2,"duplicates":0}"#, 2),
            Some(BTreeMap::new())
        );
    }

    #[test]
    fn an_index_that_was_not_sent_makes_the_answer_unreadable() {
        assert_eq!(
            rejected(
                br#"{"accepted":0,"duplicates":0,"rejected":[{"index":2,"reason":"no"}]}"#,
                2
            ),
            None
        );
    }

    #[test]
    fn what_is_no_answer_of_the_contract_is_unreadable() {
        for body in [
            &b""[..],
            b"ok",
            b"{}",
            b"[]",
            b"{\"accepted\":-1,\"duplicates\":0}",
            b"\xff",
        ] {
            assert_eq!(rejected(body, 2), None, "{body:?}");
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line_without_secrets() {
        let text = excerpt(b"bad \x1b[31m\r\n  hush  line\n", &["hush".to_owned()]);
        assert_eq!(text, "bad [31m *** line");
        assert_eq!(
            excerpt("é".repeat(500).as_bytes(), &[]).chars().count(),
            LONGEST_EXCERPT + 1
        );
    }
}
