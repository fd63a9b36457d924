//! Logs whose writer says what libFuzzer has it say: hashes, links and names are right throughout, so
//! that only what is said, and where seals are, is left to be judged.

use audit_core::lifecycle::{
    AdoptionReason, FileId, LifecycleEvent, LogOpened, LossReason, MissingReason, NewestPrune,
    Place, PrunedEnd, PrunedFile, SegmentKey, Storage, TailKind,
};
use audit_core::{Digest, RecordTime};
use chrono::DateTime;

use crate::log::{Begun, Files, PAYLOAD, Sealing, UNSYNCED_MAX_BYTES};

/// Bytes that libFuzzer made, taken one by one; zeros where there are none any more.
struct Data<'d>(&'d [u8]);

impl Data<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    fn number(&mut self) -> u64 {
        self.byte().into()
    }

    fn is_set(&mut self) -> bool {
        self.byte() & 1 == 1
    }
}

/// A log of which each byte says what its writer did next.
#[must_use]
pub fn log_of_script(data: &[u8]) -> Files {
    let mut data = Data(data);
    let mut log = if data.is_set() { Begun::sealed() } else { Begun::new() };
    while !data.0.is_empty() {
        step(&mut log, &mut data);
    }
    log.files()
}

fn step(log: &mut Begun, data: &mut Data<'_>) {
    let kind = data.byte();
    let sealing = if kind & 128 == 0 { Sealing::None } else { Sealing::Sealed };
    match kind & 31 {
        0..=7 => log.push(PAYLOAD, sealing),
        8 => lose(log, data),
        9 => log.open_segment(sealing),
        10 => open_otherwise(log, data, sealing),
        _ => {
            let event = own(log, data, kind & 31);
            log.push_lifecycle(&event, sealing);
        }
    }
}

/// Records that are not sealed yet, and bytes behind them, that the next segment accounts for.
fn lose(log: &mut Begun, data: &mut Data<'_>) {
    let records = data.byte() % 4;
    let torn = if data.is_set() { b"{\"v\":1,\"seq\":".as_slice() } else { b"" };
    let kind = if data.is_set() { TailKind::Unsealed } else { TailKind::Torn };
    log.lose(records, torn, kind);
}

/// Begins a segment of which something else is said.
fn open_otherwise(log: &mut Begun, data: &mut Data<'_>, sealing: Sealing) {
    let mut opened = log.segment_opened();
    match data.byte() % 8 {
        0 => opened.key = None,
        1 => opened.sealed_from = Some(data.number()),
        2 => {
            let vkey = if data.is_set() { "another" } else { "vkey" }.to_owned();
            opened.key = Some(SegmentKey { vkey, since: data.number() });
        }
        3 => {
            let (seq, last_seq) = (data.number(), data.number());
            let last_hash = log.hash_of(last_seq);
            opened.pruned = Some(NewestPrune { seq, last_seq, last_hash });
        }
        4 => opened.place = Some(place(data)),
        5 => opened.unsynced_max_bytes = Some(data.number()),
        6 => opened.unsynced_max_bytes = None,
        _ => opened.sealed_from = None,
    }
    log.open_segment_with(opened, sealing);
}

fn place(data: &mut Data<'_>) -> Place {
    let born = RecordTime::new(DateTime::UNIX_EPOCH);
    let mut file = || FileId { inode: data.number(), born };
    Place { dir: file(), file: file() }
}

/// An event of the writer's own, of each kind one.
fn own(log: &Begun, data: &mut Data<'_>, kind: u8) -> LifecycleEvent {
    let time = RecordTime::new(DateTime::UNIX_EPOCH);
    match kind {
        11 => log_opened(data),
        12 => LifecycleEvent::EventsLost {
            count: data.number(),
            critical_count: 0,
            reason: LossReason::QueueFull,
            first: time,
            last: time,
            sha256: None,
        },
        13 => missing(log, data),
        14 => pruned(log, data),
        15 => LifecycleEvent::RecordsAdopted {
            first_seq: data.number(),
            last_seq: log.seq.saturating_sub(data.number()),
            begins: data.number(),
            why: [
                AdoptionReason::OtherKey,
                AdoptionReason::UnsignedOpening,
                AdoptionReason::BeforeSeals,
                AdoptionReason::NoKeyBefore,
            ][usize::from(data.byte() % 4)],
        },
        16 => LifecycleEvent::LogCopied { from: place(data), to: place(data) },
        17 => LifecycleEvent::ClockStepped { from: time, to: time },
        18 => LifecycleEvent::DiskFull { available_bytes: data.number() },
        19 => LifecycleEvent::CheckpointSigned {
            size: data.number(),
            root: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
            key_id: "0c20ca15".to_owned(),
        },
        20 => LifecycleEvent::KeyChanged {
            old_vkey: "vkey".to_owned(),
            new_vkey: if data.is_set() { "another" } else { "vkey" }.to_owned(),
            old_signature: String::new(),
            new_signature: String::new(),
        },
        21 => LifecycleEvent::DamageFound {
            file: log.name.clone(),
            offset: data.number(),
            code: "seal_wrong".to_owned(),
        },
        _ => LifecycleEvent::LogClosed,
    }
}

fn log_opened(data: &mut Data<'_>) -> LifecycleEvent {
    let mut opened = LogOpened::new("fuzz".to_owned(), "immediate".to_owned(), UNSYNCED_MAX_BYTES);
    let what = data.byte();
    opened.unsigned = what & 1 == 1;
    opened.storage = (what & 2 == 2).then_some(Storage::Volatile);
    LifecycleEvent::LogOpened(opened)
}

fn missing(log: &Begun, data: &mut Data<'_>) -> LifecycleEvent {
    let is_acknowledged = data.is_set();
    LifecycleEvent::SegmentMissing {
        file: log.previous.clone(),
        first_seq: 0,
        last_seq: data.number(),
        last_hash: log.prev_hash,
        reason: if is_acknowledged {
            MissingReason::Acknowledged
        } else {
            MissingReason::SizeChanged
        },
        text: is_acknowledged.then(|| "a disk".to_owned()),
    }
}

/// A deletion of a file or two, which begin and end where the data says.
fn pruned(log: &Begun, data: &mut Data<'_>) -> LifecycleEvent {
    let mut first = data.number();
    let after = first.checked_sub(1).filter(|_| data.is_set());
    let mut files = Vec::new();
    let mut last_seq = 0;
    for _ in 0..=data.byte() % 2 {
        last_seq = first.saturating_add(data.number());
        files.push(PrunedFile {
            name: format!("{first:020}.1970-01-01.audit.jsonl"),
            size: 1,
            sha256: Digest::ZERO,
            last_seq: Some(last_seq),
        });
        first = last_seq.saturating_add(1);
    }
    LifecycleEvent::SegmentsPruned {
        first_seq: 0,
        last_seq,
        last_hash: log.hash_of(last_seq),
        merkle_frontier: log.frontier_at(first),
        files,
        reason: "age".to_owned(),
        after: after.map(|last_seq| PrunedEnd { last_seq, last_hash: log.hash_of(last_seq) }),
        before: data.is_set().then(|| RecordTime::new(DateTime::UNIX_EPOCH)),
    }
}
