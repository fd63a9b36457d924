//! Times as the log writes them: RFC 3339, UTC, without allocating.

use std::fmt;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

/// Nanoseconds in a second; chrono counts a leap second as a nanosecond field from here on.
const SECOND: u32 = 1_000_000_000;

/// When a caller says that something happened, with the precision it was given in: whole seconds,
/// or 3, 6 or 9 digits of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime {
    at: DateTime<Utc>,
    digits: u8,
}

impl EventTime {
    /// Reads RFC 3339. Any offset is taken and written back as UTC; digits of a second are kept,
    /// made up to 3, 6 or 9. `None` when the text is not such a time, or its year is not 0 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        let digits = match fraction.bytes().take_while(u8::is_ascii_digit).count() {
            0 => 0,
            1..=3 => 3,
            4..=6 => 6,
            _ => 9,
        };
        (0..=9999).contains(&at.year()).then_some(Self { at, digits })
    }

    /// The instant.
    #[must_use]
    pub fn instant(self) -> DateTime<Utc> {
        self.at
    }
}

/// As many digits as the instant needs. A year that RFC 3339 cannot write becomes the nearest it
/// can.
impl From<DateTime<Utc>> for EventTime {
    fn from(at: DateTime<Utc>) -> Self {
        let at = at.clamp(first_instant(), last_instant());
        let digits = match at.nanosecond() {
            n if n.is_multiple_of(SECOND) => 0,
            n if n.is_multiple_of(1_000_000) => 3,
            n if n.is_multiple_of(1_000) => 6,
            _ => 9,
        };
        Self { at, digits }
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(f, self.at, self.digits)
    }
}

impl serde::Serialize for EventTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// When the writer accepted a record: always nine digits of a second, and never a leap second,
/// which the format does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordTime(DateTime<Utc>);

impl RecordTime {
    /// Takes a reading of the clock; what the format cannot write becomes the nearest it can.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        let at = at.clamp(first_instant(), last_instant());
        Self(at.with_nanosecond(at.nanosecond().min(SECOND.saturating_sub(1))).unwrap_or(at))
    }

    /// The date in `YYYY-MM-DD`, as segment names have it.
    #[must_use]
    pub fn date(self) -> chrono::NaiveDate {
        self.0.date_naive()
    }
}

impl fmt::Display for RecordTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(f, self.0, 9)
    }
}

impl serde::Serialize for RecordTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn first_instant() -> DateTime<Utc> {
    // 0000-01-01T00:00:00Z in seconds since 1970.
    DateTime::from_timestamp(-62_167_219_200, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

fn last_instant() -> DateTime<Utc> {
    // 9999-12-31T23:59:59.999999999Z in seconds since 1970.
    DateTime::from_timestamp(253_402_300_799, 999_999_999).unwrap_or(DateTime::UNIX_EPOCH)
}

fn write_time(f: &mut fmt::Formatter<'_>, at: DateTime<Utc>, digits: u8) -> fmt::Result {
    let leap = at.nanosecond() / SECOND;
    let nanos = at.nanosecond() % SECOND;
    let second = at.second().saturating_add(leap);
    let (year, month, day) = (at.year(), at.month(), at.day());
    write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{second:02}", at.hour(), at.minute())?;
    match digits {
        0 => f.write_str("Z"),
        1..=3 => write!(f, ".{:03}Z", nanos / 1_000_000),
        4..=6 => write!(f, ".{:06}Z", nanos / 1_000),
        _ => write!(f, ".{nanos:09}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_time_keeps_the_precision_it_came_with() {
        for same in [
            "2017-12-10T06:55:46Z",
            "2017-12-10T06:55:46.500Z",
            "2017-12-10T06:55:46.000000Z",
            "2017-12-10T06:55:46.000000001Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.250Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(EventTime::parse(same).unwrap().to_string(), same);
        }
        let shifted = EventTime::parse("2017-12-10T06:55:46.5+02:00").unwrap();
        assert_eq!(shifted.to_string(), "2017-12-10T04:55:46.500Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["", "yesterday", "2017-12-10", "2017-13-10T06:55:46Z", "2017-12-10T06:55:46"] {
            assert_eq!(EventTime::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_record_time_has_nine_digits_and_no_leap_second() {
        let leap = EventTime::parse("2016-12-31T23:59:60Z").unwrap().instant();
        assert_eq!(RecordTime::new(leap).to_string(), "2016-12-31T23:59:59.999999999Z");
        assert_eq!(
            RecordTime::new(DateTime::<Utc>::MAX_UTC).to_string(),
            "9999-12-31T23:59:59.999999999Z"
        );
        assert_eq!(RecordTime::new(DateTime::UNIX_EPOCH).to_string().len(), 30);
    }
}
