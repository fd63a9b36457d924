//! What must hold of the checkpoints of a log, whatever a crash took away.

use std::time::Duration;

use audit_checkpoint::{KeyKind, KeyName, Note, SigningKey};
use audit_core::Receipt;
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};
use audit_writer::segment::{NEW_SEGMENT, SegmentName};
use audit_writer::store::{Fate, Moment};
use audit_writer::{OpenError, Signing};

use crate::check::Files;
use crate::common::SimWriter;
use crate::run::Run;

const FOLDER: &str = "checkpoints";

/// A checkpoint that was ever beside a log.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    name: String,
    bytes: Vec<u8>,
    note: Note,
    /// The operation at which it had its name.
    pub(crate) since: u64,
    /// The operation from which on no crash takes it away, so that it may have been given out.
    durable_since: Option<u64>,
}

/// The key of every log here, after so many changes.
pub(crate) fn key(changes: u8) -> SigningKey {
    let name = KeyName::new("audit.example/host-1").unwrap();
    SigningKey::from_seed(name, KeyKind::Ed25519, &[changes; 32]).unwrap()
}

/// Lets a writer sign, with the key that was changed so often, or with the next one where the log
/// says so; how often it was changed then.
///
/// # Errors
///
/// The log is not taken for what it was when it was signed.
pub(crate) fn begin(writer: &mut SimWriter, changes: u8) -> Result<u8, String> {
    let mut sign_with = |changes| {
        let signing = Signing::new(key(changes)).every(Duration::from_mins(1));
        writer.sign(signing).map(|()| changes)
    };
    let opened = match sign_with(changes) {
        Err(OpenError::KeyChanged { vkey })
            if vkey == key(changes + 1).verifying_key().to_string() =>
        {
            sign_with(changes + 1)
        }
        opened => opened,
    };
    opened.map_err(|error| format!("the log does not open with its key: {error}"))
}

/// Adds the checkpoints that are beside a log at a moment to those that ever were.
///
/// # Errors
///
/// Two of them contradict each other, or one is none.
pub(crate) fn see(notes: &mut Vec<Beside>, moment: &Moment) -> Result<(), String> {
    let since = moment.operation;
    for (name, bytes) in beside(&moment.disk.files()) {
        let known = notes.iter().find(|known| known.name == *name);
        if known.is_some_and(|known| known.bytes == *bytes) {
            continue;
        }
        let note = Note::parse(bytes).map_err(|error| format!("{name}: {error}"))?;
        match known {
            Some(known) if known.note.text() != note.text() => {
                return Err(format!("two checkpoints were called {name}"));
            }
            Some(_) => {}
            None => {
                let (name, bytes) = (name.clone(), bytes.clone());
                notes.push(Beside { name, bytes, note, since, durable_since: None });
            }
        }
    }
    let durable = moment.disk.after_crash(|_| Fate::Lost).files();
    for (name, _) in beside(&durable) {
        let known = notes.iter_mut().find(|known| known.name == *name);
        known
            .ok_or(format!("{name} is durable and has no name"))?
            .durable_since
            .get_or_insert(since);
    }
    Ok(())
}

fn beside(files: &Files) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| name.starts_with(FOLDER) && !name.ends_with(NEW_SEGMENT))
}

impl Beside {
    /// The same, for a life that begins after an operation.
    pub(crate) fn before(&self, operation: u64) -> Self {
        let durable_since = self.durable_since.filter(|&since| since <= operation).map(|_| 0);
        Self { since: 0, durable_since, ..self.clone() }
    }
}

/// Judges a log as it was found after the power went at an operation, and as it went on: by itself,
/// with the key that it had first, and with what was kept elsewhere.
///
/// # Errors
///
/// It is not taken for the honest log that it is.
pub(crate) fn check(
    run: &Run,
    operation: u64,
    found: Files,
    went_on: Files,
    receipt: Receipt,
) -> Result<(), String> {
    let has_segment = found.keys().any(|name| SegmentName::parse(name).is_some());
    let is_signed = beside(&found).next().is_some();
    let given_out = |note: &&Beside| note.durable_since.is_some_and(|since| since <= operation);
    let pins = |notes: Vec<&Beside>| notes.into_iter().map(|seen| seen.note.clone()).collect();
    let kept = VerifyOptions {
        pins: pins(run.notes_at(operation).filter(given_out).collect()),
        heads: run.promised_at(operation).into_iter().collect(),
        ..VerifyOptions::default()
    };
    let by_key =
        || VerifyOptions { keys: vec![key(0).verifying_key().clone()], ..VerifyOptions::default() };
    let found = MemorySource::new(found);
    for (options, can_tell) in
        [(VerifyOptions::default(), has_segment), (by_key(), is_signed), (kept, has_segment)]
    {
        let report = verify_source(&found, &options, &mut |_| ()).unwrap();
        let is_silent = report.verdict == Verdict::Unverifiable && !can_tell;
        expect(report.verdict <= Verdict::Torn || is_silent, "as it was found", &report)?;
    }

    let kept = VerifyOptions {
        pins: pins(run.notes_at(operation).collect()),
        heads: vec![receipt],
        ..by_key()
    };
    let went_on = MemorySource::new(went_on);
    for (options, verdict) in [
        (VerifyOptions::default(), Verdict::Consistent),
        (by_key(), Verdict::Signed),
        // Only its end, which says that it is closed, is covered by the checkpoint beside it alone.
        (kept, Verdict::Signed),
    ] {
        let report = verify_source(&went_on, &options, &mut |_| ()).unwrap();
        expect(report.verdict == verdict, "as it went on", &report)?;
    }
    Ok(())
}

fn expect(is_right: bool, when: &str, report: &Report) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(format!("the log {when} is {report}")) }
}
