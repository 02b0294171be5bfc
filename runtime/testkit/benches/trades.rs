//! Trades of 200 bytes, as Upbit sends them in its format `SIMPLE`.

use std::ops::Range;

const TEMPLATE: &[u8; Trade::LEN] = br#"{"sid":1000000000000,"ty":"trade","cd":"KRW-BTC","tp":143578000.0,"tv":0.00696493,"ab":"BID","pcp":14290000,"td":"2026-11-27","ttm":"11:40:00","ttms":1795779600123,"tms":1795779600150,"st":"REALTIME"}"#;

/// The head of a text frame of one trade, not masked, as servers send it.
pub(crate) const HEAD: [u8; 4] = [0x81, 126, 0, Trade::LEN as u8];

/// A text frame, not masked, of a payload of so many bytes whose number stands where that of a [`Trade`] does; gives the
/// length of its head too.
pub(crate) fn frame(bytes: usize) -> (Vec<u8>, usize) {
    let mut frame = match bytes {
        0..=125 => vec![0x81, bytes as u8],
        126..=65_535 => [&[0x81, 126], &(bytes as u16).to_be_bytes()[..]].concat(),
        _ => [&[0x81, 127], &(bytes as u64).to_be_bytes()[..]].concat(),
    };
    let head = frame.len();
    if bytes == Trade::LEN {
        frame.extend_from_slice(TEMPLATE);
    } else {
        let (start, end) = (br#"{"sid":1000000000000,"p":""#, br#""}"#);
        frame.extend_from_slice(start);
        frame.resize(head + bytes - end.len(), b'x');
        frame.extend_from_slice(end);
    }
    (frame, head)
}

/// One trade, written over with the next one's number.
pub(crate) struct Trade([u8; Trade::LEN]);

impl Trade {
    /// Its size in bytes.
    pub(crate) const LEN: usize = 200;
    /// Where its number stands, which is its key too.
    pub(crate) const ID: Range<usize> = 7..20;
    /// The number of the first one: a number has thirteen digits.
    pub(crate) const FIRST_ID: u64 = 1_000_000_000_000;

    pub(crate) fn new() -> Self {
        Self(*TEMPLATE)
    }

    /// The trade with this number, counted from 0.
    pub(crate) fn numbered(&mut self, id: u64) -> &[u8; Self::LEN] {
        write_number(&mut self.0[Self::ID], Self::FIRST_ID + id);
        &self.0
    }

    /// The trade that tells a time, in microseconds since the Unix epoch.
    pub(crate) fn dated(&mut self, time_us: u64) -> &[u8; Self::LEN] {
        self.numbered(time_us % Self::FIRST_ID)
    }

    /// How long before `now_us` the time is that a payload tells, in microseconds.
    pub(crate) fn age_us(payload: &[u8], now_us: u64) -> u64 {
        let digits = payload[Self::ID].iter();
        let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        (now_us % Self::FIRST_ID).saturating_sub(number - Self::FIRST_ID)
    }
}

/// Writes a number that has as many digits as there is room.
pub(crate) fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
