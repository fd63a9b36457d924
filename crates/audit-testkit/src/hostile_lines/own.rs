//! The events that only a writer adds, each well formed or with one field that is not.

/// An event of the writer's own.
#[derive(Clone, Debug)]
pub struct OwnEvent {
    /// Its type, and what is special about it.
    pub name: String,
    /// The event, strict JSON in any case.
    pub event: String,
    /// Whether its fields have the form that the format gives them.
    pub is_well_formed: bool,
}

/// The members of a place.
const PLACE: (&str, &str) =
    ("$L", r#"{"dir":{"inode":2,"born":"$T"},"file":{"inode":3,"born":"$T"}}"#);

/// `$D` is a digest, `$I` the id of a log, `$F` a segment's name, `$T` a timestamp, `$R` a root.
const STAND_INS: [(&str, &str); 5] = [
    ("$D", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
    ("$I", "0123456789abcdef0123456789abcdef"),
    ("$F", "00000000000000000000.2026-01-02.audit.jsonl"),
    ("$T", "2026-01-02T00:00:00.000000002Z"),
    ("$R", "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
];

/// Every event with all its members. Those in brackets may be left out.
const EVENTS: &[&str] = &[
    concat!(
        r#"segment_opened "log_id":"$I" "merkle_frontier":["$D"]"#,
        r#" ["previous":{"file":"$F","last_seq":0,"last_hash":"$D"}]"#,
        r#" ["continues":{"log_id":"$I","head":"7:$D"}] ["unsynced_max_bytes":1048576]"#,
        r#" ["key":{"vkey":"a+0c20ca15+AQ","since":0}] ["sealed_from":0]"#,
        r#" ["pruned":{"seq":9,"last_seq":3,"last_hash":"$D"}] ["place":$L]"#
    ),
    concat!(
        r#"log_recovered "file":"$F" "offset":1 "bytes":2 "sha256":"$D" "valid_records":0"#,
        r#" "kind":"unsealed""#
    ),
    concat!(
        r#"log_opened "writer":"w" "flush_mode":"hybrid" "unsynced_max_bytes":9 ["host":"h"]"#,
        r#" ["pid":7] ["boot_id":"b"] ["vkey":"v"] ["storage":"volatile"] ["unsigned":true]"#
    ),
    concat!(
        r#"events_lost "count":2 "critical_count":1 "reason":"refused" "first":"$T" "last":"$T""#,
        r#" ["sha256":"$D"]"#
    ),
    concat!(
        r#"segment_missing "file":"$F" "first_seq":0 "last_seq":3 "last_hash":"$D""#,
        r#" "reason":"acknowledged" ["text":"a disk"]"#
    ),
    concat!(
        r#"segments_pruned "first_seq":0 "last_seq":3 "last_hash":"$D" "merkle_frontier":["$D"]"#,
        r#" "files":[{"name":"$F","size":1,"sha256":"$D","last_seq":3}] "reason":"r""#,
        r#" ["after":{"last_seq":1,"last_hash":"$D"}] ["before":"$T"]"#
    ),
    r#"damage_found "file":"f" "offset":3 "code":"seal_wrong""#,
    r#"records_adopted "first_seq":0 "last_seq":3 "begins":0 "why":"before_seals""#,
    r#"log_copied "from":$L "to":$L"#,
    r#"clock_stepped "from":"$T" "to":"$T""#,
    r#"disk_full "available_bytes":0"#,
    r#"checkpoint_signed "size":3 "root":"$R" "key_id":"0c20ca15""#,
    r#"key_changed "old_vkey":"a" "new_vkey":"b" "old_signature":"c" "new_signature":"d""#,
    r#"format_changed "to":2"#,
    "log_closed",
];

/// What may stand in some events instead: the type, a member, and what takes its place.
const WELL_FORMED: &[(&str, &str, &str)] = &[
    ("segment_opened", r#"["$D"]"#, "[]"),
    ("segment_opened", r#""inode":3"#, r#""inode":18446744073709551615"#),
    ("log_recovered", r#""unsealed""#, r#""torn""#),
    ("log_recovered", r#""unsealed""#, r#""zeros""#),
    ("log_recovered", r#""unsealed""#, r#""superseded""#),
    ("log_recovered", r#""unsealed""#, r#""unreadable""#),
    ("events_lost", r#""refused""#, r#""queue_full""#),
    ("events_lost", r#""refused""#, r#""disk_full""#),
    ("events_lost", r#""refused""#, r#""io_error""#),
    ("segment_missing", r#""acknowledged""#, r#""unlinked""#),
    ("segment_missing", r#""acknowledged""#, r#""replaced""#),
    ("segment_missing", r#""acknowledged""#, r#""size_changed""#),
    ("segments_pruned", r#","last_seq":3}"#, "}"),
    ("records_adopted", r#""before_seals""#, r#""no_key_before""#),
    ("records_adopted", r#""before_seals""#, r#""other_key""#),
    ("records_adopted", r#""before_seals""#, r#""unsigned_opening""#),
    ("format_changed", r#""to":2"#, r#""to":3"#),
];

/// The same with a form that no writer gives it.
const MALFORMED: &[(&str, &str, &str)] = &[
    ("segment_opened", "$I", "0123456789ABCDEF0123456789ABCDEF"),
    ("segment_opened", r#"["$D"]"#, r#"["$D0"]"#),
    ("segment_opened", r#"["$D"]"#, r#"{"0":"$D"}"#),
    ("segment_opened", r#"{"file":"$F","last_seq":0,"last_hash":"$D"}"#, r#"["$F",0,"$D"]"#),
    ("segment_opened", r#""since":0"#, r#""since":-1"#),
    ("segment_opened", r#""vkey":"a+0c20ca15+AQ""#, r#""vkey":null"#),
    ("segment_opened", r#""key":{"vkey":"a+0c20ca15+AQ","since":0}"#, r#""key":null"#),
    ("segment_opened", r#""key":{"vkey":"a+0c20ca15+AQ","since":0}"#, r#""key":["a",0]"#),
    ("segment_opened", r#""sealed_from":0"#, r#""sealed_from":null"#),
    ("segment_opened", r#""sealed_from":0"#, r#""sealed_from":0.5"#),
    ("segment_opened", r#""seq":9"#, r#""seq":"9""#),
    ("segment_opened", r#""inode":2"#, r#""inode":"2""#),
    ("segment_opened", r#""inode":2"#, r#""inode":-2"#),
    ("segment_opened", r#""born":"$T""#, r#""born":"2026-01-02T00:00:00Z""#),
    ("segment_opened", r#""born":"$T""#, r#""born":0"#),
    ("segment_opened", r#""place":$L"#, r#""place":null"#),
    ("segment_opened", r#""head":"7:$D""#, r#""head":"07:$D""#),
    ("segment_opened", "1048576", "-1"),
    ("log_recovered", r#""unsealed""#, r#""sealed""#),
    ("log_recovered", r#""unsealed""#, r#""Unsealed""#),
    ("log_recovered", "$F", "x"),
    ("log_recovered", r#""offset":1"#, r#""offset":1.5"#),
    ("log_opened", r#""volatile""#, r#""tmpfs""#),
    ("log_opened", r#""storage":"volatile""#, r#""storage":null"#),
    ("log_opened", r#""unsigned":true"#, r#""unsigned":false"#),
    ("log_opened", r#""unsigned":true"#, r#""unsigned":null"#),
    ("log_opened", r#""unsigned":true"#, r#""unsigned":"true""#),
    ("log_opened", r#""pid":7"#, r#""pid":-7"#),
    ("log_opened", r#""pid":7"#, r#""pid":null"#),
    ("events_lost", r#""critical_count":1"#, r#""critical_count":3"#),
    ("events_lost", r#""refused""#, r#""bored""#),
    ("segment_missing", r#""acknowledged""#, r#""forgotten""#),
    ("segment_missing", r#""text":"a disk""#, r#""text":null"#),
    ("segments_pruned", r#""first_seq":0"#, r#""first_seq":1"#),
    ("segments_pruned", r#""before":"$T""#, r#""before":"2026-01-02""#),
    ("segments_pruned", r#""after":{"last_seq":1,"last_hash":"$D"}"#, r#""after":null"#),
    ("segments_pruned", r#""after":{"last_seq":1,"last_hash":"$D"}"#, r#""after":[1,"$D"]"#),
    ("segments_pruned", r#","last_seq":3}"#, r#","last_seq":null}"#),
    ("records_adopted", r#""before_seals""#, r#""because""#),
    ("records_adopted", r#""begins":0"#, r#""begins":null"#),
    ("log_copied", r#""from":$L"#, r#""from":null"#),
    ("log_copied", r#""to":$L"#, r#""to":{}"#),
    ("clock_stepped", r#""to":"$T""#, r#""to":"2026-01-02T00:00:00Z""#),
    ("disk_full", r#""available_bytes":0"#, r#""available_bytes":-1"#),
    ("checkpoint_signed", "$R", "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh="),
    ("format_changed", r#""to":2"#, r#""to":1"#),
];

/// The members of an event, in their order, and whether each may be left out.
fn members(event: &str) -> (String, Vec<(String, bool)>) {
    let mut parts = event.split(' ').fold(Vec::<String>::new(), |mut parts, part| {
        // Only texts hold spaces, and of these none begins like a member.
        let is_member = part.starts_with('"') && part.contains("\":") || part.starts_with("[\"");
        match parts.last_mut() {
            Some(last) if !is_member => {
                last.push(' ');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
        parts
    });
    let event_type = parts.remove(0);
    let members = parts.into_iter().map(|part| {
        let part = part.replace(PLACE.0, PLACE.1);
        match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
            Some(optional) => (optional.to_owned(), true),
            None => (part, false),
        }
    });
    (event_type, members.collect())
}

fn own_event(event_type: &str, said: &str, members: &[&str], is_well_formed: bool) -> OwnEvent {
    let mut event = format!(r#"{{"event_type":"{event_type}""#);
    for member in members {
        event.push(',');
        event.push_str(member);
    }
    event.push('}');
    let fill = |text: &str| {
        STAND_INS.iter().fold(text.to_owned(), |text, (stand_in, is)| text.replace(stand_in, is))
    };
    let name = format!("{event_type} {said}");
    OwnEvent { name, event: fill(&event), is_well_formed }
}

/// Every event of the writer's own, in every form that one change makes of it.
#[must_use]
pub fn own_events() -> Vec<OwnEvent> {
    let mut events = Vec::new();
    for event in EVENTS {
        let (event_type, members) = members(event);
        let all: Vec<&str> = members.iter().map(|(member, _)| member.as_str()).collect();
        events.push(own_event(&event_type, "whole", &all, true));
        for (left_out, (member, may_be_absent)) in members.iter().enumerate() {
            let rest = all.iter().enumerate().filter(|(number, _)| *number != left_out);
            let rest: Vec<&str> = rest.map(|(_, member)| *member).collect();
            let key = member.split(':').next().unwrap_or_default();
            events.push(own_event(&event_type, &format!("without {key}"), &rest, *may_be_absent));
        }
        let tables = [(WELL_FORMED, true), (MALFORMED, false)];
        for ((_, from, to), is_well_formed) in tables
            .into_iter()
            .flat_map(|(table, is)| table.iter().map(move |change| (change, is)))
            .filter(|((of, ..), _)| *of == event_type)
        {
            let from = &from.replace(PLACE.0, PLACE.1);
            let changed: Vec<_> = all.iter().map(|member| member.replacen(from, to, 1)).collect();
            let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
            let said = format!("with {to} for {from}");
            events.push(own_event(&event_type, &said, &changed, is_well_formed));
        }
    }
    events
}
