//! Times: what the venues send, to RFC 3339 in UTC with microseconds.
//!
//! Microseconds, because no supported venue says more, and text, because a browser's numbers cannot hold nanoseconds.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::token::Token;
use crate::unreadable::{Fault, Unreadable};

/// Last second that RFC 3339 can write: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;
/// From here on a number counts microseconds: as milliseconds it would be the year 5138.
const FIRST_MICROS: u64 = 100_000_000_000_000;
/// Korea is nine hours ahead of UTC, without daylight saving time.
const KOREA: Duration = Duration::from_secs(9 * 3600);

/// A point in time that RFC 3339 can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(SystemTime);

impl Time {
    /// Takes nanoseconds since the Unix epoch.
    pub(crate) fn from_nanos(nanos: i64) -> Self {
        Time(UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)))
    }

    /// Takes milliseconds or microseconds since the Unix epoch; the magnitude tells which.
    pub(crate) fn from_epoch(
        field: &'static str,
        token: Option<Token<'_>>,
    ) -> Result<Self, Unreadable> {
        let text = token.ok_or(Unreadable::missing(field))?.content();
        let since = text.parse::<u64>().ok().map(|number| match number {
            FIRST_MICROS.. => Duration::from_micros(number),
            _ => Duration::from_millis(number),
        });
        match since {
            Some(since) if since.as_secs() <= LAST_SECOND => Ok(Time(UNIX_EPOCH + since)),
            _ => Err(not_a_time(
                field,
                "milliseconds or microseconds since 1970",
                text,
            )),
        }
    }

    /// Takes RFC 3339 in UTC, such as `2023-09-25T07:49:37.708706Z`.
    pub(crate) fn from_rfc3339(
        field: &'static str,
        token: Option<Token<'_>>,
    ) -> Result<Self, Unreadable> {
        let text = token.ok_or(Unreadable::missing(field))?.content();
        let time = humantime::parse_rfc3339(text).map(Time);
        time.map_err(|_| not_a_time(field, "a time like `2023-09-25T07:49:37.708706Z`", text))
    }

    /// Takes a local time of Korea, such as `2020-01-29 12:24:18.830039`.
    pub(crate) fn from_korean(
        field: &'static str,
        token: Option<Token<'_>>,
    ) -> Result<Self, Unreadable> {
        let text = token.ok_or(Unreadable::missing(field))?.content();
        let local = humantime::parse_rfc3339_weak(text).ok();
        let utc = local
            .and_then(|local| local.checked_sub(KOREA))
            .filter(|utc| *utc >= UNIX_EPOCH);
        utc.map(Time)
            .ok_or_else(|| not_a_time(field, "a time like `2020-01-29 12:24:18.830039`", text))
    }

    /// Appends the time, 27 characters.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let written = write!(out, "{}", humantime::format_rfc3339_micros(self.0));
        debug_assert!(
            written.is_ok(),
            "a `Time` can be written, and a vector takes all"
        );
    }
}

fn not_a_time(field: &'static str, expected: &'static str, found: &str) -> Unreadable {
    Unreadable::field(field, Fault::Time(expected), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(json: &str) -> Option<Token<'_>> {
        Some(serde_json::from_str(json).unwrap())
    }

    fn text(time: Time) -> String {
        let mut out = Vec::new();
        time.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn milliseconds_and_microseconds_are_told_apart() {
        let millis = Time::from_epoch("T", token("1618678262001")).unwrap();
        let micros = Time::from_epoch("T", token("1618678262001002")).unwrap();
        assert_eq!(text(millis), "2021-04-17T16:51:02.001000Z");
        assert_eq!(text(micros), "2021-04-17T16:51:02.001002Z");
    }

    #[test]
    fn rfc3339_keeps_microseconds() {
        let time = Time::from_rfc3339("time", token(r#""2023-09-25T07:49:37.708706Z""#)).unwrap();
        assert_eq!(text(time), "2023-09-25T07:49:37.708706Z");
        assert_eq!(
            text(Time::from_rfc3339("time", token(r#""2023-09-25T07:49:37Z""#)).unwrap()),
            "2023-09-25T07:49:37.000000Z"
        );
    }

    #[test]
    fn korean_time_becomes_utc() {
        let time = Time::from_korean("contDtm", token(r#""2020-01-29 01:24:18.830039""#)).unwrap();
        assert_eq!(text(time), "2020-01-28T16:24:18.830039Z");
    }

    #[test]
    fn impossible_times_are_errors() {
        for json in [
            "-1",
            "1.5",
            "\"soon\"",
            "18446744073709551615",
            "99999999999999999999999",
            "null",
            "{}",
        ] {
            assert!(Time::from_epoch("T", token(json)).is_err(), "{json}");
        }
        for json in [
            r#""2023-13-25T07:49:37Z""#,
            r#""2023-09-25T07:49:37+09:00""#,
            r#""yesterday""#,
            "5",
        ] {
            assert!(Time::from_rfc3339("time", token(json)).is_err(), "{json}");
        }
        assert!(Time::from_korean("contDtm", token(r#""1970-01-01 00:00:00""#)).is_err());
    }

    #[test]
    fn a_receive_time_before_1970_is_1970() {
        assert_eq!(text(Time::from_nanos(-5)), "1970-01-01T00:00:00.000000Z");
    }
}
