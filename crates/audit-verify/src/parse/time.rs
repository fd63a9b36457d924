//! Dates and times, as text.

/// Whether text is a date `YYYY-MM-DD` that a calendar has.
pub(crate) fn is_date(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let Some(century) = two_digits(*y1, *y2) else { return false };
    let Some(of_century) = two_digits(*y3, *y4) else { return false };
    let (Some(month), Some(day)) = (two_digits(*m1, *m2), two_digits(*d1, *d2)) else {
        return false;
    };
    let leap = match of_century {
        0 => century.is_multiple_of(4),
        _ => of_century.is_multiple_of(4),
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether text is a record's timestamp: RFC 3339, UTC, seconds 00 to 59, exactly nine digits of a
/// second, `Z`.
pub(crate) fn is_record_time(text: &[u8]) -> bool {
    text.len() == 30 && is_time(text)
}

/// Whether text is a time in UTC as RFC 3339 writes it, with up to nine digits of a second.
pub(crate) fn is_time(text: &[u8]) -> bool {
    let Some((date, clock)) = text.split_at_checked(10) else { return false };
    let Some((clock, fraction)) = clock.split_at_checked(9) else { return false };
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return false };
    let below = |high: u8, low: u8, end: u8| two_digits(high, low).is_some_and(|n| n < end);
    let fraction_is_good = match fraction {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    is_date(date)
        && below(*h1, *h2, 24)
        && below(*m1, *m2, 60)
        && below(*s1, *s2, 60)
        && fraction_is_good
}

fn two_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| byte.is_ascii_digit().then_some(byte & 0x0f);
    digit(high)?.checked_mul(10)?.checked_add(digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        let leap_days = ["2024-02-29", "2000-02-29", "0400-02-29"];
        for good in leap_days.into_iter().chain(["2026-02-28", "2026-04-30", "0000-01-01"]) {
            assert!(is_date(good.as_bytes()), "{good}");
        }
        for month in 1..=12 {
            assert!(is_date(format!("2026-{month:02}-28").as_bytes()), "{month}");
            let is_long = [1, 3, 5, 7, 8, 10, 12].contains(&month);
            assert_eq!(is_date(format!("2026-{month:02}-31").as_bytes()), is_long, "{month}");
        }
        for bad in
            ["2023-02-29", "1900-02-29", "2026-04-31", "2026-00-10", "2026-13-01", "2026-01-00"]
        {
            assert!(!is_date(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_timestamp_has_one_form() {
        assert!(is_record_time(b"2026-01-02T23:59:59.000000000Z"));
        for bad in [
            "2026-01-02T23:59:60.000000000Z",
            "2026-01-02T24:00:00.000000000Z",
            "2026-01-02T23:60:00.000000000Z",
            "2026-01-02t23:59:59.000000000Z",
            "2026-01-02T23:59:59.000000000z",
            "2026-01-02 23:59:59.000000000Z",
            "2026-01-02T23:59:59.00000000Z",
            "2026-01-02T23:59:59.0000000000Z",
            "2026-01-02T23:59:59,000000000Z",
            "2026-01-02T23:59:59.00000000+Z",
            "2026-01-02T23:59:59.000000+00Z",
            "",
        ] {
            assert!(!is_record_time(bad.as_bytes()), "{bad}");
        }
        assert!(is_time(b"2026-01-02T23:59:59Z"));
        assert!(!is_time(b"2026-01-02T23:59:59.Z"));
    }
}
