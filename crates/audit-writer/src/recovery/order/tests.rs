//! Segments in words, and where each stops being one.

use super::*;

const HASH: &str = "2e5664b109192772a9de09331df5df6123ea95732979c8affa07df38371c0e9e";

/// The event of a word; `None` for a caller's.
fn own(word: &str) -> Option<Own> {
    let time = "2026-01-02T00:00:00.000000000Z";
    let file = "00000000000000000000.2026-01-02.audit.jsonl";
    let id = r#""log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]"#;
    let place = format!(r#"{{"inode":2,"born":"{time}"}}"#);
    let place = format!(r#"{{"dir":{place},"file":{place}}}"#);
    let (event_type, members) = match word {
        "open" => ("segment_opened", id.to_owned()),
        "open_key" => ("segment_opened", format!(r#"{id},"key":{{"vkey":"k","since":0}}"#)),
        "open_due_9" => ("segment_opened", format!(r#"{id},"key":{{"vkey":"b","since":9}}"#)),
        "recovered" => (
            "log_recovered",
            format!(
                r#""file":"{file}","offset":1,"bytes":2,"sha256":"{HASH}","valid_records":0,"kind":"torn""#
            ),
        ),
        "opened" => (
            "log_opened",
            r#""writer":"w","flush_mode":"hybrid","unsynced_max_bytes":9"#.to_owned(),
        ),
        "adopted" => (
            "records_adopted",
            r#""first_seq":0,"last_seq":3,"begins":0,"why":"other_key""#.to_owned(),
        ),
        "copied" => ("log_copied", format!(r#""from":{place},"to":{place}"#)),
        "damage" => ("damage_found", r#""file":"f","offset":3,"code":"c""#.to_owned()),
        "lost" => (
            "events_lost",
            format!(
                r#""count":1,"critical_count":0,"reason":"refused","first":"{time}","last":"{time}""#
            ),
        ),
        "signed" => (
            "checkpoint_signed",
            r#""size":0,"root":"jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk=","key_id":"k""#
                .to_owned(),
        ),
        "key" => (
            "key_changed",
            r#""old_vkey":"a","new_vkey":"b","old_signature":"c","new_signature":"d""#.to_owned(),
        ),
        "full" => ("disk_full", r#""available_bytes":0"#.to_owned()),
        "format" => ("format_changed", r#""to":2"#.to_owned()),
        "closed" => ("log_closed", r#""x":0"#.to_owned()),
        "event" => return None,
        _ => panic!("{word}"),
    };
    let event = format!(r#"{{"event_type":"{event_type}",{members}}}"#);
    Own::parse(event_type, event.as_bytes()).unwrap()
}

/// Takes the records of a segment in words, those with a seal followed by `*`.
fn walk(before: Before, first_seq: u64, words: &str) -> Result<Order, (String, Misplaced)> {
    let mut order = Order::after(before);
    for (seq, word) in (first_seq..).zip(words.split_whitespace()) {
        let own = own(word.trim_end_matches('*'));
        let step = Step { seq, own: own.as_ref(), is_sealed: word.ends_with('*') };
        order = order.step(step).map_err(|misplaced| (word.to_owned(), misplaced))?;
    }
    Ok(order)
}

/// Where a walk over a segment behind another stops, and why.
fn stops(words: &str) -> Option<(String, Misplaced)> {
    walk(Before::NotClosed, 7, words).err()
}

#[track_caller]
fn refused(words: &str, at: &str, why: Misplaced) {
    assert_eq!(stops(words), Some((at.to_owned(), why)), "{words}");
}

#[test]
fn a_segment_begins_with_what_opens_it() {
    for words in [
        "open event event",
        "open closed",
        "open format",
        "open key event",
        "open recovered opened event closed",
        "open opened damage event",
        "open opened adopted copied damage signed event",
        "open opened copied event",
    ] {
        assert_eq!(stops(words), None, "{words}");
    }
    for first in ["event", "opened", "recovered", "closed", "lost"] {
        refused(first, first, Misplaced::SegmentOpenedMissing);
    }
    refused("open open", "open", Misplaced::SegmentOpened);
    refused("open event open_key", "open_key", Misplaced::SegmentOpened);
    refused("open event recovered", "recovered", Misplaced::LogRecovered);
    refused("open opened recovered", "recovered", Misplaced::LogRecovered);
    refused("open recovered recovered", "recovered", Misplaced::LogRecovered);
    refused("open event opened", "opened", Misplaced::LogOpened);
    refused("open opened opened", "opened", Misplaced::LogOpened);
    refused("open recovered event", "event", Misplaced::LogOpenedMissing);
    refused("open recovered closed", "closed", Misplaced::LogOpenedMissing);
}

#[test]
fn a_writer_says_that_it_opens_the_log() {
    for (before, first_seq) in [(Before::NotClosed, 0), (Before::Closed, 7), (Before::Closed, 0)] {
        for next in ["event", "closed", "adopted", "key", "lost", "format"] {
            let stopped = walk(before, first_seq, &format!("open {next}")).unwrap_err();
            assert_eq!(stopped, (next.to_owned(), Misplaced::LogOpenedMissing));
        }
        let opened = walk(before, first_seq, "open").unwrap();
        assert_eq!(opened.end(), Err(Misplaced::LogOpenedMissing));
        assert_eq!(opened.check_opening(), Err(Misplaced::LogOpenedMissing));
        assert_eq!(walk(before, first_seq, "open opened").unwrap().end(), Ok(()));
    }
    let rotated = walk(Before::NotClosed, 7, "open").unwrap();
    assert_eq!((rotated.check_opening(), rotated.end()), (Ok(()), Ok(())));
    let recovered = walk(Before::NotClosed, 7, "open recovered").unwrap();
    assert_eq!(recovered.end(), Err(Misplaced::LogOpenedMissing));
    let nothing = Order::after(Before::NotClosed);
    assert_eq!(nothing.end(), Err(Misplaced::SegmentOpenedMissing));
}

#[test]
fn what_an_opening_declares_is_declared_once_and_at_once() {
    for (words, at) in [
        ("open adopted", "adopted"),
        ("open copied", "copied"),
        ("open opened adopted adopted", "adopted"),
        ("open opened copied adopted", "adopted"),
        ("open opened copied copied", "copied"),
        ("open opened event adopted", "adopted"),
        ("open opened damage copied", "copied"),
        ("open_key opened* adopted*", "adopted*"),
        ("open_key opened* copied*", "copied*"),
    ] {
        refused(words, at, Misplaced::OpeningRecord);
    }
}

#[test]
fn nothing_follows_a_last_record() {
    for next in ["event", "open", "closed", "lost", "opened", "format"] {
        refused(&format!("open event closed {next}"), next, Misplaced::AfterClose);
        refused(&format!("open event format {next}"), next, Misplaced::AfterFormatChange);
    }
}

#[test]
fn a_segment_without_a_key_has_no_seals() {
    refused("open*", "open*", Misplaced::Seal);
    refused("open event*", "event*", Misplaced::Seal);
    refused("open opened event closed*", "closed*", Misplaced::Seal);
}

#[test]
fn a_sealed_segment_has_its_seals() {
    for words in [
        "open_key*",
        "open_key opened*",
        "open_key recovered opened adopted copied damage signed*",
        "open_key opened key* event*",
        "open_key signed* event event* lost event* event closed*",
        "open_key* full* event* format*",
    ] {
        let end = walk(Before::NotClosed, 7, words).unwrap().end();
        assert_eq!(end, Ok(()), "{words}");
    }
    refused("open_key event*", "event*", Misplaced::SealMissing);
    refused("open_key opened event", "event", Misplaced::SealMissing);
    refused("open_key opened lost event*", "lost", Misplaced::SealMissing);
    refused("open_key opened key event*", "key", Misplaced::SealMissing);
    for own in ["signed", "full", "damage", "closed", "format", "key"] {
        refused(&format!("open_key* {own} event*"), own, Misplaced::SealMissing);
        refused(&format!("open_key* event {own}"), own, Misplaced::SealMissing);
    }
    for words in ["open_key", "open_key opened", "open_key* event", "open_key* event* lost"] {
        let end = walk(Before::NotClosed, 7, words).unwrap().end();
        assert_eq!(end, Err(Misplaced::SealMissing), "{words}");
    }
}

#[test]
fn the_opening_records_of_a_sealed_segment_have_their_order() {
    for (words, at) in [
        ("open_key opened damage adopted*", "adopted*"),
        ("open_key opened signed damage*", "damage*"),
        ("open_key signed opened*", "opened*"),
        ("open_key opened copied adopted*", "adopted*"),
    ] {
        let stopped = stops(words).unwrap();
        assert_eq!(stopped.0, at, "{words}: {stopped:?}");
    }
    assert_eq!(stops("open_key opened damage damage signed signed key*"), None);
    let unsealed = walk(Before::NotClosed, 7, "open_key opened").unwrap();
    assert_eq!(unsealed.check_opening(), Err(Misplaced::SealMissing));
    assert_eq!(walk(Before::NotClosed, 7, "open_key opened*").unwrap().check_opening(), Ok(()));
}

/// The seq of the first record is 7.
#[test]
fn a_key_that_a_segment_names_ahead_is_brought_by_its_opening() {
    assert_eq!(stops("open_due_9 signed key* event*"), None);
    refused("open_due_9*", "open_due_9*", Misplaced::KeyChangedMissing);
    refused("open_due_9 signed*", "signed*", Misplaced::KeyChangedMissing);
    refused("open_due_9 signed signed*", "signed*", Misplaced::KeyChangedMissing);
    refused("open_due_9 key*", "key*", Misplaced::KeyChangedMissing);
    refused("open_due_9 signed signed key*", "key*", Misplaced::KeyChangedMissing);
}
