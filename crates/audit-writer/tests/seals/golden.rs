//! A sealed log that another implementation wrote, and its key.

use std::collections::BTreeMap;
use std::path::Path;

use audit_checkpoint::{KeyKind, KeyName, SigningKey};
use audit_core::{AuditEventEnvelope, FlushMode, OnDamage, RotationPolicy, ServiceId};
use audit_writer::{AuditFileWriter, Damage, OpenError, Signing, SimDisk};

use crate::common::{SimWriter, clock_at, routine};
use crate::log::{lines, newest};

/// The files; `None` where they are not beside the checkout.
fn golden() -> Option<BTreeMap<String, Vec<u8>>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/golden-sealed");
    let mut files = BTreeMap::new();
    for folder in ["", "checkpoints/"] {
        let Ok(entries) = std::fs::read_dir(dir.join(folder)) else {
            println!("skipped: there is no golden-sealed beside the checkout");
            return None;
        };
        for entry in entries.map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let name = format!("{folder}{}", entry.file_name().to_str().unwrap());
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    Some(files)
}

fn open(files: BTreeMap<String, Vec<u8>>) -> (SimDisk, Result<SimWriter, OpenError>) {
    let seed = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let name = KeyName::new("audit.example/host-1").unwrap();
    let key = SigningKey::from_seed(name, KeyKind::Ed25519, &seed).unwrap();
    let disk = SimDisk::with_files(files);
    let (clock, flush) = (clock_at("2026-01-03T00:00:00Z"), FlushMode::default());
    let opened =
        AuditFileWriter::with(disk.store(), clock, RotationPolicy::Daily, flush, OnDamage::Refuse);
    let opened = opened.and_then(|mut log| log.sign(Signing::new(key)).map(|()| log));
    (disk, opened)
}

/// The log as it was when its writer was killed: `log_closed` and the note over it are not there.
fn killed(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.remove("checkpoints/00000000000000000024.note").unwrap();
    let newest = newest_of(&mut files);
    let mut kept = lines(newest);
    kept.pop().unwrap();
    *newest = kept.concat();
    files
}

fn newest_of(files: &mut BTreeMap<String, Vec<u8>>) -> &mut Vec<u8> {
    let is_segment = |name: &String| name.ends_with(".audit.jsonl");
    let name = files.keys().rfind(|name| is_segment(name)).unwrap().clone();
    files.get_mut(&name).unwrap()
}

fn record(log: &mut SimWriter) {
    let service_id = ServiceId::new("sealed.host-1").unwrap();
    let event = routine(1).event;
    log.write_event(&AuditEventEnvelope::new(service_id, event)).unwrap();
}

#[test]
fn the_writer_goes_on_from_it_with_its_key() {
    let Some(files) = golden() else { return };
    for files in [files.clone(), killed(files)] {
        let (disk, opened) = open(files);
        let mut log = opened.unwrap();
        record(&mut log);
        log.close().unwrap();
        let (_, bytes) = newest(&disk);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(r#""sealed_from":0"#) && text.contains(r#""since":0}"#), "{text}");
        assert!(!text.contains("log_recovered") && !text.contains("records_adopted"), "{text}");
    }
}

#[test]
fn a_tail_rewritten_without_seals_is_refused() {
    let Some(files) = golden() else { return };
    let mut files = killed(files);
    let bytes = newest_of(&mut files);
    let all = lines(bytes);
    // All records of the segment are made anew, without a seal.
    let mut log = Vec::new();
    let mut after = None;
    for line in &all {
        let parsed: serde_json::Value = serde_json::from_slice(line).unwrap();
        let (line, hash) = without_seal(&parsed, after);
        log.extend(line);
        after = Some(hash);
    }
    *bytes = log;
    let (disk, opened) = open(files.clone());
    let error = opened.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { damage: Damage::OpeningUnsealed, .. }), "{error}");
    assert_eq!(disk.files(), files);
}

#[test]
fn a_forged_unsealed_line_is_left_out_of_the_chain() {
    let Some(files) = golden() else { return };
    let mut files = killed(files);
    let bytes = newest_of(&mut files);
    let last: serde_json::Value = serde_json::from_slice(lines(bytes).last().unwrap()).unwrap();
    let hash = audit_core::Digest::from_hex(last["hash"].as_str().unwrap().as_bytes());
    let mut next = last.clone();
    let seq = last["seq"].as_u64().unwrap() + 1;
    next["seq"] = seq.into();
    next["event"] = serde_json::json!({ "event_type": "forged" });
    bytes.extend(without_seal(&next, hash).0);
    let (disk, opened) = open(files);
    let mut log = opened.unwrap();
    record(&mut log);
    log.close().unwrap();
    let text = String::from_utf8(newest(&disk).1).unwrap();
    assert!(text.starts_with(&format!(r#"{{"v":1,"seq":{seq},"#)), "{text}");
    assert!(text.contains(r#""valid_records":1,"kind":"unsealed""#), "{text}");
}

/// A record made anew without a seal, behind the one of this hash.
fn without_seal(
    record: &serde_json::Value,
    after: Option<audit_core::Digest>,
) -> (Vec<u8>, audit_core::Digest) {
    use audit_core::lifecycle::write_audit_id;
    use audit_core::record::{RecordHead, write_record};
    use audit_core::{Digest, EventTime, RecordTime};
    let service_id = ServiceId::new("sealed.host-1").unwrap();
    let (seq, mut audit_id, mut line) =
        (record["seq"].as_u64().unwrap(), String::new(), Vec::new());
    write_audit_id(&mut audit_id, service_id, seq);
    let timestamp = EventTime::parse(record["timestamp"].as_str().unwrap()).unwrap();
    let timestamp = RecordTime::new(timestamp.instant());
    let head = RecordHead { seq, audit_id: &audit_id, timestamp, service_id };
    let payload = record["event"].to_string();
    let prev = record["prev_hash"].as_str().unwrap();
    let prev = after.unwrap_or_else(|| Digest::from_hex(prev.as_bytes()).unwrap());
    let hash = write_record(&mut line, &head, payload.as_bytes(), &prev);
    (line, hash)
}
