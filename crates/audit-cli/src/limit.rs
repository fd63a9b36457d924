//! How much of the end of a log may be without a signature, as an argument says it.

use audit_verify::UnsignedLimit;

/// Reads a number of records, or a time with its unit: seconds, minutes or hours.
pub(crate) fn unsigned(text: &str) -> Result<UnsignedLimit, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600)];
    let unit = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let (digits, secs) = unit.unwrap_or((text, 0));
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_number);
    let limit = match (number, unit) {
        (Some(number), None) => Some(UnsignedLimit::Records(number)),
        (Some(number), Some(_)) => number.checked_mul(secs).map(UnsignedLimit::Secs),
        (None, _) => None,
    };
    limit.ok_or_else(|| "neither a number of records nor a time such as 30s, 10m or 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_records_or_a_time() {
        for (text, limit) in [
            ("0", UnsignedLimit::Records(0)),
            ("1000", UnsignedLimit::Records(1_000)),
            ("30s", UnsignedLimit::Secs(30)),
            ("10m", UnsignedLimit::Secs(600)),
            ("1h", UnsignedLimit::Secs(3_600)),
        ] {
            assert_eq!(unsigned(text), Ok(limit));
        }
        for text in [
            "",
            "s",
            "-1",
            "+1",
            "1 m",
            "1d",
            "1.5h",
            "10mm",
            "18446744073709551616",
            "5124095576030432h",
        ] {
            assert!(unsigned(text).is_err(), "{text}");
        }
    }
}
