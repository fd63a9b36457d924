//! Which records are shown.

use audit_core::{EventCategory, EventTime};
use audit_verify::RecordView;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::said::{Said, Who};

/// What a record has to be. One of the values of each option, and what every option says.
#[derive(Args, Debug, Default)]
pub(crate) struct Filter {
    /// Only events of this type, or custom events of this name; may be given more than once
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,

    /// Only events of this category; may be given more than once
    #[arg(long = "category", value_name = "CATEGORY", value_parser = categories())]
    categories: Vec<EventCategory>,

    /// Only what this user did, or was attempted in this user's name
    #[arg(long, value_name = "USER")]
    actor: Option<String>,

    /// Only from this time on: RFC 3339, or a date in UTC
    #[arg(long, value_name = "TIME", value_parser = first_instant)]
    since: Option<EventTime>,

    /// Only up to this time, included: RFC 3339, or a date in UTC
    #[arg(long, value_name = "TIME", value_parser = last_instant)]
    until: Option<EventTime>,

    /// Only critical events
    #[arg(long)]
    critical: bool,

    /// Only records with these numbers: A..B, A.., ..B or A, both included
    #[arg(long, value_name = "A..B", value_parser = seq_range)]
    seq: Option<(u64, u64)>,
}

impl Filter {
    /// Whether a record is to be shown, which happened at this time.
    pub(crate) fn admits(
        &self,
        record: &RecordView<'_>,
        said: &Said,
        time: Option<EventTime>,
    ) -> bool {
        let Self { types, categories, actor, since, until, critical, seq } = self;
        let instant = time.map(EventTime::instant);
        let name = said.name();
        let is_type =
            |wanted: &String| record.event_type == wanted.as_str() || name == Some(wanted.as_str());
        let category = EventCategory::of_type(&record.event_type);
        let is_actor = |wanted: &String| match said.who() {
            Who::Actor(name) | Who::Attempted(name) => name == wanted,
            Who::Nobody => false,
        };
        (types.is_empty() || types.iter().any(is_type))
            && (categories.is_empty() || categories.contains(&category))
            && actor.as_ref().is_none_or(is_actor)
            && since.is_none_or(|since| instant >= Some(since.instant()))
            && until.is_none_or(|until| instant.is_some_and(|at| at <= until.instant()))
            && (!critical || record.is_critical)
            && seq.is_none_or(|(first, last)| (first..=last).contains(&record.seq))
    }
}

fn categories() -> impl TypedValueParser<Value = EventCategory> {
    PossibleValuesParser::new(EventCategory::ALL.map(EventCategory::as_str)).try_map(|name| {
        let named = EventCategory::ALL.into_iter().find(|category| category.as_str() == name);
        named.ok_or("no such category")
    })
}

fn first_instant(text: &str) -> Result<EventTime, String> {
    instant(text, "T00:00:00Z")
}

fn last_instant(text: &str) -> Result<EventTime, String> {
    // A day may end in a leap second.
    instant(text, "T23:59:60.999999999Z")
}

fn instant(text: &str, of_day: &str) -> Result<EventTime, String> {
    let of_date = || EventTime::parse(&format!("{text}{of_day}"));
    EventTime::parse(text)
        .or_else(of_date)
        .ok_or_else(|| "expected 2026-01-02 or 2026-01-02T03:04:05Z".to_owned())
}

fn seq_range(text: &str) -> Result<(u64, u64), String> {
    let number = |digits: &str, absent: u64| match digits {
        "" => Ok(absent),
        _ => digits.parse().map_err(|_| format!("{digits:?} is not a number of a record")),
    };
    match text.split_once("..") {
        Some((first, last)) => Ok((number(first, 0)?, number(last, u64::MAX)?)),
        None if text.is_empty() => Err("expected A..B".to_owned()),
        None => number(text, 0).map(|only| (only, only)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_both_ends_and_may_lack_one() {
        assert_eq!(seq_range("3..5"), Ok((3, 5)));
        assert_eq!(seq_range("3.."), Ok((3, u64::MAX)));
        assert_eq!(seq_range("..5"), Ok((0, 5)));
        assert_eq!(seq_range("7"), Ok((7, 7)));
        for bad in ["", "x", "1..x", "-1", "1..=2"] {
            assert!(seq_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_begins_and_ends_where_the_day_does() {
        let shown = |time: Result<EventTime, String>| time.unwrap().to_string();
        assert_eq!(shown(first_instant("2016-12-31")), "2016-12-31T00:00:00Z");
        assert_eq!(shown(last_instant("2016-12-31")), "2016-12-31T23:59:60.999999999Z");
        assert_eq!(shown(last_instant("2026-01-02T03:04:05+01:00")), "2026-01-02T02:04:05Z");
        for bad in ["", "yesterday", "2026-13-01", "2026-01-02T03:04", "2026-01-02T03:04:05"] {
            assert!(first_instant(bad).is_err(), "{bad}");
        }
    }
}
