//! `Retry-After`: when a receiver wants to be asked again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// The longest wait that a receiver can ask for: an answer must not stop a partition for a day.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads `Retry-After`, in seconds or as an HTTP date, and bounds it. `None` leaves the wait to the backoff: there is no
/// such header, it cannot be read, or the moment is over already.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // Measured on the receiver's own clock if it tells it, which makes a wrong clock on either side harmless.
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(date(headers).unwrap_or(now))
            .ok()?,
    };
    (!wait.is_zero()).then(|| wait.min(LONGEST))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn wait(headers: &[(HeaderName, &'static str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        retry_after(&headers.collect(), now)
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(wait(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_date_is_read_on_our_clock() {
        assert_eq!(
            wait(&[(RETRY_AFTER, "Wed, 21 Oct 2015 07:28:05 GMT")]),
            Some(Duration::from_secs(5))
        );
    }

    #[test]
    fn a_date_is_read_on_the_receivers_clock_if_it_tells_it() {
        let headers = [
            (RETRY_AFTER, "Wed, 21 Oct 2020 07:28:05 GMT"),
            (DATE, "Wed, 21 Oct 2020 07:28:02 GMT"),
        ];
        assert_eq!(wait(&headers), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_long_wait_is_bounded() {
        assert_eq!(wait(&[(RETRY_AFTER, "86400")]), Some(LONGEST));
        assert_eq!(
            wait(&[(RETRY_AFTER, "18446744073709551615")]),
            Some(LONGEST)
        );
        assert_eq!(
            wait(&[(RETRY_AFTER, "Fri, 31 Dec 9999 23:59:59 GMT")]),
            Some(LONGEST)
        );
    }

    #[test]
    fn what_says_nothing_leaves_the_wait_to_the_backoff() {
        assert_eq!(wait(&[]), None);
        for value in [
            "0",
            "",
            "soon",
            "-1",
            "1.5",
            "Wed, 21 Oct 2015 07:27:00 GMT",
        ] {
            assert_eq!(wait(&[(RETRY_AFTER, value)]), None, "{value}");
        }
    }
}
