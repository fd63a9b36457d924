//! The members of a record before its event.

use audit_core::ServiceId;
use audit_core::limits::SEQ_MAX;
use chrono::NaiveDate;

/// The members of a record before its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'l> {
    pub(super) seq: u64,
    pub(super) timestamp: &'l str,
    pub(super) service_id: &'l str,
}

impl<'l> Frame<'l> {
    /// Takes them off the beginning of a record; with them, what follows.
    pub(super) fn take(record: &'l str) -> Option<(Self, &'l str)> {
        let (seq, rest) = record.strip_prefix(r#"{"v":1,"seq":"#)?.split_once(',')?;
        let seq = number(seq)?;
        let (audit_id, rest) = text_member(rest, r#""audit_id":""#)?;
        let (timestamp, rest) = text_member(rest, r#","timestamp":""#)?;
        let (service_id, rest) = text_member(rest, r#","service_id":""#)?;
        let payload = rest.strip_prefix(r#","event":"#)?;
        let is_right = is_time(timestamp)
            && ServiceId::new(service_id).is_ok()
            && is_audit_id(audit_id, service_id, seq);
        is_right.then_some((Self { seq, timestamp, service_id }, payload))
    }
}

/// The text of the member that comes next, which holds nothing to escape, and what follows it.
fn text_member<'l>(rest: &'l str, start: &str) -> Option<(&'l str, &'l str)> {
    rest.strip_prefix(start)?.split_once('"')
}

/// A number up to [`SEQ_MAX`], in its one form.
pub(super) fn number(digits: &str) -> Option<u64> {
    let number = decimal(digits.as_bytes())?;
    (number <= SEQ_MAX).then_some(number)
}

/// A number without a sign, a fraction, an exponent or a leading zero.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Whether a text is `audit-S-H`.
fn is_audit_id(text: &str, service_id: &str, seq: u64) -> bool {
    let digits = text.strip_prefix("audit-").and_then(|rest| rest.strip_prefix(service_id));
    let Some(digits) = digits.and_then(|rest| rest.strip_prefix('-')) else { return false };
    let is_lower = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == 16 && digits.bytes().all(is_lower) && u64::from_str_radix(digits, 16) == Ok(seq)
}

/// Whether a text is RFC 3339 in UTC, of a day that the calendar has, with exactly nine digits of a
/// second, and no leap second.
pub(super) fn is_time(text: &str) -> bool {
    let Some((date, clock)) = text.as_bytes().split_at_checked(10) else { return false };
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', fraction @ .., b'Z'] = clock else {
        return false;
    };
    let is_below = |digits: [u8; 2], end| padded(&digits).is_some_and(|number| number < end);
    is_date(date)
        && is_below([*h1, *h2], 24)
        && is_below([*m1, *m2], 60)
        && is_below([*s1, *s2], 60)
        && fraction.len() == 9
        && padded(fraction).is_some()
}

fn is_date(date: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return false };
    let ymd = || {
        let year = i32::try_from(padded(&[*y1, *y2, *y3, *y4])?).ok()?;
        NaiveDate::from_ymd_opt(year, padded(&[*m1, *m2])?, padded(&[*d1, *d2])?)
    };
    ymd().is_some()
}

/// A few digits, with or without zeros before them.
fn padded(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &str = concat!(
        r#"{"v":1,"seq":26,"audit_id":"audit-a-000000000000001a","#,
        r#""timestamp":"2024-02-29T23:59:59.999999999Z","service_id":"a","event":"#
    );

    #[test]
    fn a_frame_is_taken_apart() {
        let text = format!("{FRAME}{{}}");
        let (frame, rest) = Frame::take(&text).unwrap();
        let timestamp = "2024-02-29T23:59:59.999999999Z";
        assert_eq!(frame, Frame { seq: 26, timestamp, service_id: "a" });
        assert_eq!(rest, "{}");
    }

    #[test]
    fn a_frame_has_one_form() {
        for (right, wrong) in [
            (r#""v":1"#, r#""v":2"#),
            (r#""v":1"#, r#""v":01"#),
            (r#"{"v""#, r#"{ "v""#),
            (r#""seq":26"#, r#""seq":+26"#),
            (r#""seq":26"#, r#""seq":026"#),
            (r#""seq":26"#, r#""seq":26.0"#),
            (r#""seq":26"#, r#""seq":"26""#),
            (r#""seq":26"#, r#""seq":27"#),
            (r#""seq":26"#, r#""seq":"#),
            ("1a", "1A"),
            ("audit-a-0", "audit-a-"),
            ("audit-a-0", "audit-a-00"),
            ("audit-a-", "audit-b-"),
            ("audit-a-", "audit-"),
            ("audit-a-", "Audit-a-"),
            (r#""service_id":"a""#, r#""service_id":"""#),
            (r#""service_id":"a""#, r#""service_id":"b""#),
            (r#""event""#, r#""Event""#),
            ("2024-02-29", "2023-02-29"),
        ] {
            let text = FRAME.replacen(right, wrong, 1);
            assert_ne!(text, FRAME, "{wrong}");
            assert_eq!(Frame::take(&text), None, "{text}");
        }
    }

    #[test]
    fn a_service_has_a_name_of_the_format() {
        let named = |name: &str| {
            let id = format!("audit-{name}-");
            FRAME.replace("audit-a-", &id).replace(r#""a""#, &format!("\"{name}\""))
        };
        let longest = "a".repeat(41);
        assert!(Frame::take(&named(&longest)).is_some());
        for wrong in [format!("{longest}a"), "-a".to_owned(), "a b".to_owned()] {
            assert_eq!(Frame::take(&named(&wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_has_one_form_and_a_limit() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("9007199254740991"), Some(SEQ_MAX));
        for wrong in ["", "9007199254740992", "00", "-0", "1e3", "1 ", "18446744073709551616"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn a_time_has_one_form() {
        for right in ["2026-01-02T00:00:00.000000000Z", "0000-02-29T23:59:59.000000000Z"] {
            assert!(is_time(right), "{right}");
        }
        for wrong in [
            "2026-01-02T24:00:00.000000000Z",
            "2026-01-02T00:60:00.000000000Z",
            "2026-01-02T00:00:60.000000000Z",
            "2026-01-02T00:00:00.00000000Z",
            "2026-01-02T00:00:00.0000000000Z",
            "2026-01-02T00:00:00.00000000+Z",
            "2026-01-02T00:00:00,000000000Z",
            "2026-01-02T00:00:00.000000000z",
            "2026-01-02t00:00:00.000000000Z",
            "2026-01-02T00:00:00Z",
            "2026-1-002T00:00:00.000000000Z",
            "2026-04-31T00:00:00.000000000Z",
            "1900-02-29T00:00:00.000000000Z",
            "2026-00-01T00:00:00.000000000Z",
            "+026-01-02T00:00:00.000000000Z",
            "",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }
}
