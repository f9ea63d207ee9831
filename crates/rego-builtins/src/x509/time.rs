//! The times of certificates.

use crate::gotime::{Civil, days_in_month};

/// An instant, and the offset from UTC in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// Seconds since 1970 began.
    pub(crate) seconds: i64,
    offset: i64,
}

impl Time {
    /// A UTCTime, `YYMMDDhhmm[ss]` and a zone. Years from 50 on are those of the last century.
    pub(crate) fn from_utc_time(text: &[u8]) -> Option<Self> {
        let mut digits = Digits(text);
        let year = digits.number(2)?;
        let year = if year < 50 { 2000 + year } else { 1900 + year };
        digits.rest(year, true)
    }

    /// A GeneralizedTime, `YYYYMMDDhhmmss` and a zone.
    pub(crate) fn from_generalized_time(text: &[u8]) -> Option<Self> {
        let mut digits = Digits(text);
        let year = digits.number(4)?;
        digits.rest(year, false)
    }

    /// As Go's JSON has it (RFC 3339).
    pub(crate) fn to_text(self) -> String {
        let Civil { year, month, day, hour, minute, second, .. } =
            Civil::from_unix(self.seconds + self.offset, 0);
        let zone = if self.offset == 0 {
            "Z".to_owned()
        } else {
            let (sign, minutes) = (if self.offset < 0 { '-' } else { '+' }, self.offset.abs() / 60);
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
    }
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn number(&mut self, count: usize) -> Option<i64> {
        let digits = self.0.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        self.0 = self.0.get(count..)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn below(&mut self, limit: i64) -> Option<i64> {
        self.number(2).filter(|number| *number < limit)
    }

    /// What follows the year.
    fn rest(&mut self, year: i64, seconds_optional: bool) -> Option<Time> {
        let month = self.number(2).filter(|month| (1..=12).contains(month))?;
        let day = self.number(2).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
        let (hour, minute) = (self.below(24)?, self.below(60)?);
        let has_seconds = self.0.first().is_some_and(u8::is_ascii_digit);
        let second = if seconds_optional && !has_seconds { 0 } else { self.below(60)? };
        let offset = self.zone()?;
        let local = Civil { year, month, day, hour, minute, second, nanosecond: 0 }.to_unix();
        Some(Time { seconds: local - offset, offset })
    }

    /// `Z`, or an offset other than zero.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.0.split_first()? {
            (b'Z', []) => return Some(0),
            (b'+', _) => 1,
            (b'-', _) => -1,
            _ => return None,
        };
        self.0 = self.0.get(1..)?;
        let minutes = self.below(24)? * 60 + self.below(60)?;
        (self.0.is_empty() && minutes != 0).then_some(sign * minutes * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_they_were_written() {
        let utc = |text: &str| Time::from_utc_time(text.as_bytes()).map(Time::to_text);
        assert_eq!(utc("491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(utc("500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!(utc("2402291200Z").as_deref(), Some("2024-02-29T12:00:00Z"));
        assert_eq!(utc("240229120000-0130").as_deref(), Some("2024-02-29T12:00:00-01:30"));
        for bad in ["230229120000Z", "240101240000Z", "240101000000", "240101000000+0000", "240101000000Z0"] {
            assert_eq!(utc(bad), None, "{bad}");
        }
        let generalized = Time::from_generalized_time(b"99991231235959Z").unwrap();
        assert_eq!(generalized.to_text(), "9999-12-31T23:59:59Z");
        assert_eq!(Time::from_generalized_time(b"202401010000Z"), None);
    }
}
