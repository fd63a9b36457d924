//! What can be said in a log instead, drawn by dice: all hashes and links are right afterwards.

use audit_testkit::dice::Dice;
use serde_json::{Value, json};

use crate::plan::{Plan, Planned, Seal, TIME, log_opened, next_vkey, place, vkey};
use crate::sealed_logs::another_hash;

/// Does one to three things, and says what.
pub(crate) fn edit(plan: &mut Plan, dice: &mut Dice) -> String {
    let edits = 1 + dice.index(3);
    (0..edits).map(|_| edit_once(plan, dice)).collect::<Vec<_>>().join(", ")
}

fn edit_once(plan: &mut Plan, dice: &mut Dice) -> String {
    let number = dice.index(plan.segments.len());
    let records = &mut plan.segments[number].records;
    if records.is_empty() {
        return "nothing".into();
    }
    let at = dice.index(records.len());
    let told = match dice.index(12) {
        0..=2 => {
            let seal = &mut records[at].seal;
            *seal = if *seal == Seal::None { Seal::Right } else { Seal::None };
            "seal"
        }
        3 => {
            records.remove(at);
            "record removed"
        }
        4 => {
            let other = dice.index(records.len());
            records.swap(at, other);
            "records swapped"
        }
        5 => {
            let seal = if dice.once_in(3) { Seal::None } else { Seal::Right };
            records.insert(at, Planned { event: own_event(dice), seal });
            "event put in"
        }
        6 => {
            let segment = &mut plan.segments[number];
            let counted = segment.records.len() - dice.index(3).min(at);
            let lost = segment.records.split_off(counted);
            segment.lost.splice(0..0, lost);
            "records lost"
        }
        7 => {
            plan.segments[number].is_deleted ^= true;
            "segment deleted, or back"
        }
        _ => return change_member(&mut records[at].event, dice, number, at),
    };
    format!("{told} in segment {number} at {at}")
}

/// An event that only a writer adds, which may be out of place.
fn own_event(dice: &mut Dice) -> Value {
    let events = [
        json!({ "event_type": "events_lost", "count": 1, "critical_count": 0, "reason": "refused", "first": TIME, "last": TIME }),
        json!({ "event_type": "clock_stepped", "from": TIME, "to": TIME }),
        json!({ "event_type": "records_adopted", "first_seq": 0, "last_seq": 5, "begins": 0, "why": "other_key" }),
        json!({ "event_type": "log_copied", "from": place(2), "to": place(8) }),
        json!({ "event_type": "checkpoint_signed", "size": 0, "root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "key_id": "0c20ca15" }),
        json!({ "event_type": "key_changed", "old_vkey": vkey(), "new_vkey": next_vkey(), "old_signature": "AA==", "new_signature": "AA==" }),
        json!({ "event_type": "disk_full", "available_bytes": 7 }),
        json!({ "event_type": "seal_verified", "timestamp": "2026-01-02T03:04:05Z", "shard_id": "s", "worker_id": "w" }),
        json!({ "event_type": "log_closed" }),
        json!({ "event_type": "format_changed", "to": 2 }),
    ];
    if dice.once_in(8) {
        let mut opened = json!({ "event_type": "log_opened" });
        opened.as_object_mut().unwrap().extend(log_opened().as_object().unwrap().clone());
        return opened;
    }
    events[dice.index(events.len())].clone()
}

/// Another value of a member, or none.
fn change_member(event: &mut Value, dice: &mut Dice, segment: usize, at: usize) -> String {
    let mut names: Vec<String> = Vec::new();
    pointers(event, "", &mut names);
    let name = names[dice.index(names.len())].clone();
    let told = format!("{name} of record {at} in segment {segment}");
    if dice.once_in(4) {
        let (parent, key) = name.rsplit_once('/').unwrap();
        if let Some(Value::Object(members)) = event.pointer_mut(parent) {
            members.shift_remove(key);
        }
        return format!("{told} taken out");
    }
    let Some(value) = event.pointer_mut(&name) else { return told };
    *value = match value.as_u64() {
        Some(number) => match dice.index(4) {
            0 => number.saturating_sub(1).into(),
            1 => (number + 1).into(),
            2 => 0.into(),
            _ => dice.between(0, 24).into(),
        },
        None if value.is_null() && name.ends_with("hash") => another_hash().into(),
        None if name.ends_with("vkey") => [vkey(), next_vkey()][dice.index(2)].clone().into(),
        None if name.ends_with("why") => {
            ["other_key", "unsigned_opening", "before_seals", "no_key_before"][dice.index(4)].into()
        }
        None if name.ends_with("kind") => ["torn", "unsealed"][dice.index(2)].into(),
        None if name.ends_with("from") || name.ends_with("to") => {
            [place(2), place(8), place(9)][dice.index(3)].clone()
        }
        None if name == "/event_type" => "disk_full".into(),
        None => Value::Null,
    };
    format!("{told} changed")
}

/// Pointers to every member of an event.
fn pointers(value: &Value, at: &str, names: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (name, value) in members {
        let at = format!("{at}/{name}");
        names.push(at.clone());
        pointers(value, &at, names);
    }
}
