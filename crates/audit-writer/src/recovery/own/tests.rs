//! Events of the writer's own, whole and with a member of another form.

use audit_testkit::hostile_lines::own_events;

use super::*;
use crate::recovery::json;

const HASH: &str = "2e5664b109192772a9de09331df5df6123ea95732979c8affa07df38371c0e9e";
const FILE: &str = "00000000000000000000.2026-01-02.audit.jsonl";
const TIME: &str = "2026-01-02T00:00:00.000000000Z";

/// An event with all its members, and which of them may be missing.
type Whole = (&'static str, String, &'static [&'static str]);

/// Every event of the writer's own.
fn whole_events() -> Vec<Whole> {
    [opening_events(), later_events()].concat()
}

fn place() -> String {
    let file = |inode: u64| format!(r#"{{"inode":{inode},"born":"{TIME}"}}"#);
    format!(r#"{{"dir":{},"file":{}}}"#, file(2), file(u64::MAX))
}

fn opening_events() -> Vec<Whole> {
    let log_id = "dd56de4137951d9c92681b03416ec15f";
    let end = format!(r#""last_seq":0,"last_hash":"{HASH}""#);
    let place = place();
    vec![
        (
            "segment_opened",
            format!(
                r#""log_id":"{log_id}","merkle_frontier":["{HASH}"],"previous":{{"file":"{FILE}",{end}}},"continues":{{"log_id":"{log_id}","head":"7:{HASH}"}},"unsynced_max_bytes":1048576,"key":{{"vkey":"k","since":1}},"sealed_from":0,"pruned":{{"seq":1,{end}}},"place":{place}"#
            ),
            &[
                "previous",
                "continues",
                "unsynced_max_bytes",
                "key",
                "sealed_from",
                "pruned",
                "place",
            ],
        ),
        (
            "log_recovered",
            format!(
                r#""file":"{FILE}","offset":1,"bytes":2,"sha256":"{HASH}","valid_records":0,"kind":"unsealed""#
            ),
            &[],
        ),
        (
            "log_opened",
            r#""writer":"w 1","flush_mode":"hybrid","unsynced_max_bytes":0,"host":"h","pid":4294967296,"boot_id":"b","vkey":"k","storage":"volatile","unsigned":true"#.to_owned(),
            &["host", "pid", "boot_id", "vkey", "storage", "unsigned"],
        ),
    ]
}

fn later_events() -> Vec<Whole> {
    let end = format!(r#""last_seq":0,"last_hash":"{HASH}""#);
    let root = "jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk=";
    vec![
        (
            "events_lost",
            format!(
                r#""count":2,"critical_count":2,"reason":"io_error","first":"{TIME}","last":"{TIME}","sha256":"{HASH}""#
            ),
            &["sha256"],
        ),
        (
            "segment_missing",
            format!(r#""file":"{FILE}","first_seq":0,{end},"reason":"acknowledged","text":"t""#),
            &["text"],
        ),
        (
            "segments_pruned",
            format!(
                r#""first_seq":0,{end},"merkle_frontier":["{HASH}"],"files":[{{"name":"{FILE}","size":9,"sha256":"{HASH}","last_seq":0}}],"reason":"r","after":{{{end}}},"before":"{TIME}""#
            ),
            &["after", "before"],
        ),
        ("damage_found", r#""file":"f","offset":3,"code":"c""#.to_owned(), &[]),
        (
            "records_adopted",
            r#""first_seq":1,"last_seq":2,"begins":0,"why":"other_key""#.to_owned(),
            &[],
        ),
        ("log_copied", format!(r#""from":{0},"to":{0}"#, place()), &[]),
        ("clock_stepped", format!(r#""from":"{TIME}","to":"{TIME}""#), &[]),
        ("disk_full", r#""available_bytes":0"#.to_owned(), &[]),
        ("checkpoint_signed", format!(r#""size":1,"root":"{root}","key_id":"0c20ca15""#), &[]),
        (
            "key_changed",
            r#""old_vkey":"a","new_vkey":"b","old_signature":"c","new_signature":"d""#.to_owned(),
            &[],
        ),
        ("format_changed", r#""to":2"#.to_owned(), &[]),
        ("log_closed", String::new(), &[]),
    ]
}

fn parse(event_type: &str, members: &str) -> Result<Option<Own>, Malformed> {
    let comma = if members.is_empty() { "" } else { "," };
    let event = format!(r#"{{"event_type":"{event_type}"{comma}{members}}}"#);
    Own::parse(event_type, event.as_bytes())
}

#[test]
fn every_event_of_the_writers_own_is_read() {
    let mut types: Vec<_> = whole_events().iter().map(|(event_type, ..)| *event_type).collect();
    for (event_type, members, _) in whole_events() {
        assert!(matches!(parse(event_type, &members), Ok(Some(_))), "{event_type}");
        let more = format!("{members},\"later\":null");
        let more = more.trim_start_matches(',');
        assert!(matches!(parse(event_type, more), Ok(Some(_))), "{event_type}");
    }
    types.sort_unstable();
    assert_eq!(types, audit_core::lifecycle::LIFECYCLE_TYPES);
    assert_eq!(parse("auth_failure", r#""ip":0"#), Ok(None));
}

/// Each member in turn is taken away, and set to what no member is.
#[test]
fn a_member_has_its_form_and_only_some_may_be_missing() {
    for (event_type, members, may_be_missing) in whole_events() {
        let event = format!("{{{members}}}");
        let all = json::members(event.as_bytes()).unwrap();
        for (at, (key, _)) in all.iter().enumerate() {
            let with = |value: Option<&'static str>| {
                let members = all.iter().enumerate().filter_map(|(other, (key, own))| {
                    let own = std::str::from_utf8(own).unwrap();
                    let value = if at == other { value } else { Some(own) };
                    value.map(|value| format!("\"{}\":{value}", key.to_plain()))
                });
                parse(event_type, &members.collect::<Vec<_>>().join(","))
            };
            let key = key.to_plain();
            let may_be_missing = may_be_missing.contains(&&*key);
            assert_eq!(with(None).is_ok(), may_be_missing, "{event_type}: {key} is missing");
            for wrong in ["null", "-1", "1.0", "1e0", "-0", "false", "{}", "[0]", "[null]"] {
                assert_eq!(with(Some(wrong)), Err(Malformed), "{event_type}: {key} is {wrong}");
            }
        }
    }
}

#[test]
fn a_member_of_another_form_is_refused() {
    let upper = HASH.to_uppercase();
    let short = &HASH[1..];
    for (event_type, right, wrong) in [
        ("segment_opened", "dd56", "DD56"),
        ("segment_opened", "dd56", "d56"),
        ("segment_opened", "[\"2e", "[0,\"2e"),
        ("segment_opened", HASH, &upper),
        ("segment_opened", HASH, short),
        ("segment_opened", "7:2e", "07:2e"),
        ("segment_opened", "7:2e", "+7:2e"),
        ("segment_opened", "7:2e", "9007199254740992:2e"),
        ("segment_opened", "7:2e", "2e"),
        ("segment_opened", ".2026-01-02.", ".2026-02-30."),
        ("segment_opened", "\"file\":\"0", "\"file\":\"/0"),
        ("segment_opened", ",\"since\":1", ""),
        ("segment_opened", "\"since\":1", "\"since\":null"),
        ("segment_opened", "\"vkey\":\"k\"", "\"vkey\":0"),
        ("segment_opened", "\"seq\":1,", ""),
        ("segment_opened", "\"inode\":2", "\"inode\":\"2\""),
        ("segment_opened", "\"inode\":2", "\"inode\":18446744073709551616"),
        ("segment_opened", "T00:00:00.000000000Z", "T00:00:00Z"),
        ("segment_opened", "{\"dir\"", "{\"Dir\""),
        ("segment_opened", "1048576", "-1048576"),
        ("segment_opened", "{\"vkey\":\"k\",\"since\":1}", "[\"k\",1]"),
        ("log_recovered", "unsealed", "Unsealed"),
        ("log_recovered", "unsealed", "wet"),
        ("log_recovered", FILE, "segment"),
        ("log_recovered", HASH, &upper),
        ("log_opened", "volatile", "safe"),
        ("log_opened", "\"pid\":4294967296", "\"pid\":\"7\""),
        ("log_opened", "\"unsigned\":true", "\"unsigned\":\"true\""),
        ("events_lost", "io_error", "bored"),
        ("events_lost", "\"critical_count\":2", "\"critical_count\":3"),
        ("events_lost", "2026-01-02T", "2026-01-32T"),
        ("events_lost", HASH, short),
        ("segment_missing", "acknowledged", "lost"),
        ("segment_missing", FILE, ""),
        ("segments_pruned", "\"first_seq\":0", "\"first_seq\":1"),
        ("segments_pruned", "{\"name\"", "{\"Name\""),
        ("segments_pruned", FILE, "../x"),
        ("segments_pruned", "\"size\":9", "\"size\":9.0"),
        ("segments_pruned", "\"sha256\":\"2", "\"sha256\":\""),
        ("segments_pruned", "\"last_seq\":0}]", "\"last_seq\":null}]"),
        ("segments_pruned", "\"before\":\"2026", "\"before\":\"26"),
        ("records_adopted", "other_key", "why_not"),
        ("log_copied", "\"born\":\"2026", "\"born\":\"26"),
        ("clock_stepped", "Z\"", "\""),
        ("checkpoint_signed", "nHk=", "nHk"),
        ("checkpoint_signed", "nHk=", "nHl="),
        ("checkpoint_signed", "jnXD", ""),
        ("format_changed", "2", "1"),
        ("format_changed", "2", "0"),
    ] {
        let events = whole_events();
        let (_, members, _) = events.iter().find(|event| event.0 == event_type).unwrap();
        let changed = members.replacen(right, wrong, 1);
        assert_ne!(changed, *members, "{event_type}: {right}");
        assert_eq!(parse(event_type, &changed), Err(Malformed), "{event_type}: {wrong}");
    }
}

/// The verifier's own tests ask the same table.
#[test]
fn the_table_of_events_is_answered() {
    for own in own_events() {
        let event_type = own.name.split(' ').next().unwrap();
        let read = Own::parse(event_type, own.event.as_bytes());
        assert_eq!(matches!(read, Ok(Some(_))), own.is_well_formed, "{}: {}", own.name, own.event);
    }
}

#[test]
fn a_prune_names_no_more_files_than_fit() {
    let prune = |count| {
        let file = format!(r#"{{"name":"{FILE}","size":9,"sha256":"{HASH}"}}"#);
        let files = vec![file; count].join(",");
        let members = format!(
            r#""first_seq":0,"last_seq":0,"last_hash":"{HASH}","merkle_frontier":[],"files":[{files}],"reason":"r""#
        );
        parse("segments_pruned", &members)
    };
    assert!(prune(PRUNED_FILES_MAX).is_ok());
    assert_eq!(prune(PRUNED_FILES_MAX + 1), Err(Malformed));
}

#[test]
fn escapes_are_as_good_as_what_they_stand_for() {
    let event = br#"{"event_type":"format_changed","\u0074o":2}"#;
    assert_eq!(Own::parse("format_changed", event), Ok(Some(Own::FormatChanged(2))));
    let event =
        br#"{"event_type":"x","first_seq":1,"last_seq":2,"begins":0,"why":"other\u005fkey"}"#;
    assert!(matches!(Own::parse("records_adopted", event), Ok(Some(_))));
}

mod agreement {
    use super::*;

    fn says(event_type: &str, members: &str) -> Own {
        parse(event_type, members).unwrap().unwrap()
    }

    fn opening(members: &str, roots: usize) -> Own {
        let roots = vec![format!("\"{HASH}\""); roots].join(",");
        let log_id = "dd56de4137951d9c92681b03416ec15f";
        says(
            "segment_opened",
            &format!(r#""log_id":"{log_id}","merkle_frontier":[{roots}]{members}"#),
        )
    }

    #[test]
    fn an_opening_agrees_with_its_place() {
        let before = Digest::from_hex(HASH.as_bytes()).unwrap();
        assert!(opening("", 0).can_be_true(0, &Digest::ZERO));
        assert!(!opening("", 0).can_be_true(0, &before));
        assert!(!opening("", 1).can_be_true(1, &Digest::ZERO));
        for roots in 0..4 {
            assert_eq!(opening("", roots).can_be_true(5, &before), roots == 2, "{roots}");
        }
        let other = HASH.replace('2', "3");
        let previous = |seq: u64, hash: &str| {
            format!(r#","previous":{{"file":"{FILE}","last_seq":{seq},"last_hash":"{hash}"}}"#)
        };
        let pruned = |seq: u64, last_seq: u64| {
            format!(r#","pruned":{{"seq":{seq},"last_seq":{last_seq},"last_hash":"{HASH}"}}"#)
        };
        let continues = format!(
            r#","continues":{{"log_id":"dd56de4137951d9c92681b03416ec15f","head":"7:{HASH}"}}"#
        );
        let key = r#","key":{"vkey":"k","since":0}"#;
        for (members, can_be_true) in [
            (previous(4, HASH), true),
            (previous(5, HASH), false),
            (previous(3, HASH), false),
            (previous(u64::MAX, HASH), false),
            (previous(4, &other), false),
            (continues.clone(), false),
            (key.to_owned(), false),
            (format!(r#"{key},"sealed_from":5"#), true),
            (format!(r#"{key},"sealed_from":6"#), false),
            (r#","sealed_from":5"#.to_owned(), false),
            (r#","sealed_from":0"#.to_owned(), true),
            (pruned(4, 3), true),
            (pruned(5, 3), false),
            (pruned(4, 4), false),
        ] {
            assert_eq!(opening(&members, 2).can_be_true(5, &before), can_be_true, "{members}");
        }
        assert!(opening(&continues, 0).can_be_true(0, &Digest::ZERO));
    }

    #[test]
    fn a_writer_says_the_same_of_itself_as_of_its_segment() {
        let segment = |members: &str| {
            let Own::SegmentOpened(opened) = opening(members, 2) else { panic!("{members}") };
            opened
        };
        let log = |members: &str| {
            let least = r#""writer":"w","flush_mode":"hybrid","unsynced_max_bytes":9"#;
            says("log_opened", &format!("{least}{members}"))
        };
        let plain = segment("");
        let limited = segment(r#","unsynced_max_bytes":9"#);
        let other = segment(r#","unsynced_max_bytes":8"#);
        let key = segment(r#","key":{"vkey":"k","since":5},"sealed_from":0"#);
        let due = segment(r#","key":{"vkey":"k","since":7},"sealed_from":0"#);
        for (opened, members, agrees) in [
            (&plain, "", true),
            (&plain, r#","vkey":"x","unsigned":true"#, true),
            (&limited, "", true),
            (&other, "", false),
            (&key, "", true),
            (&key, r#","vkey":"k""#, true),
            (&key, r#","vkey":"x""#, false),
            (&key, r#","unsigned":true"#, false),
            (&due, r#","vkey":"x""#, true),
        ] {
            assert_eq!(log(members).agrees_with(opened, 5, 6), agrees, "{opened:?} {members}");
        }
        let changed = |vkey: &str| {
            let rest = r#""old_signature":"c","new_signature":"d""#;
            says("key_changed", &format!(r#""old_vkey":"a","new_vkey":"{vkey}",{rest}"#))
        };
        assert!(changed("k").agrees_with(&due, 5, 7) && !changed("x").agrees_with(&due, 5, 7));
        assert!(changed("x").agrees_with(&due, 5, 9) && changed("x").agrees_with(&key, 5, 7));
        let adopted =
            says("records_adopted", r#""first_seq":1,"last_seq":4,"begins":0,"why":"other_key""#);
        assert!(adopted.agrees_with(&key, 5, 7) && !adopted.agrees_with(&key, 6, 7));
    }

    #[test]
    fn what_is_covered_was_there_before() {
        let signed = |size: u64| {
            let root = "jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk=";
            says("checkpoint_signed", &format!(r#""size":{size},"root":"{root}","key_id":"k""#))
        };
        assert!(
            signed(5).can_be_true(5, &Digest::ZERO) && !signed(6).can_be_true(5, &Digest::ZERO)
        );
        for (first_seq, last_seq, begins, can_be_true) in
            [(1, 4, 0, true), (1, 4, 1, true), (1, 4, 2, false), (1, 5, 0, false), (3, 2, 0, false)]
        {
            let adopted = says(
                "records_adopted",
                &format!(
                    r#""first_seq":{first_seq},"last_seq":{last_seq},"begins":{begins},"why":"other_key""#
                ),
            );
            assert_eq!(adopted.can_be_true(5, &Digest::ZERO), can_be_true, "{adopted:?}");
        }
    }

    #[test]
    fn a_prune_reaches_from_the_one_before_to_its_end() {
        let prune = |last_seq: u64, files: &[(u64, Option<u64>)], members: &str| {
            let files: Vec<_> = files
                .iter()
                .map(|(first, last)| {
                    let last = last.map_or(String::new(), |last| format!(r#","last_seq":{last}"#));
                    let name = format!("{first:020}.2026-01-02.audit.jsonl");
                    format!(r#"{{"name":"{name}","size":9,"sha256":"{HASH}"{last}}}"#)
                })
                .collect();
            let roots = vec![format!("\"{HASH}\""); (last_seq + 1).count_ones() as usize].join(",");
            says(
                "segments_pruned",
                &format!(
                    r#""first_seq":0,"last_seq":{last_seq},"last_hash":"{HASH}","merkle_frontier":[{roots}],"files":[{}],"reason":"r"{members}"#,
                    files.join(",")
                ),
            )
        };
        let before = format!(r#","before":"{TIME}""#);
        let after = format!(r#"{before},"after":{{"last_seq":4,"last_hash":"{HASH}"}}"#);
        let fits = |own: Own| own.can_be_true(20, &Digest::ZERO);
        assert!(fits(prune(9, &[(0, Some(4)), (5, Some(9))], &before)));
        assert!(fits(prune(9, &[(5, Some(9))], &after)));
        assert!(fits(prune(9, &[(7, None)], "")), "a log of before seals");
        assert!(!fits(prune(20, &[], "")), "not yet recorded");
        assert!(!fits(prune(4, &[], &after)), "nothing is deleted");
        for (files, members) in [
            (&[(0, Some(4)), (6, Some(9))][..], &before),
            (&[(0, Some(5)), (5, Some(9))], &before),
            (&[(0, Some(4)), (5, Some(8))], &before),
            (&[(0, Some(4)), (5, None)], &before),
            (&[(5, Some(9))], &before),
            (&[(0, Some(9))], &after),
            (&[(5, Some(3)), (4, Some(9))], &after),
            (&[], &before),
        ] {
            assert!(!fits(prune(9, files, members)), "{files:?} {members}");
        }
    }
}
