//! What stands against a log from outside of its chain: checkpoints, keys, and what was kept
//! elsewhere.

mod changes;
mod claims;
mod conclude;
mod coverage;
mod heads;
mod identity;
mod keys;
mod missing;
mod recorded;
mod standing;
mod unsigned;

use std::sync::Arc;

use audit_checkpoint::{Checkpoint, Note};
use audit_core::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use claims::{By, Claim};
use standing::Standing;

pub(crate) use changes::{Change, Following};
pub(crate) use claims::Claims;
pub(crate) use conclude::End;
pub(crate) use coverage::{Coverage, Elsewhere, time_of};
pub(crate) use heads::Heads;
pub use identity::Identity;
pub(crate) use identity::Shown;
pub(crate) use keys::Keys;
pub(crate) use recorded::Recorded;
pub use unsigned::UnsignedLimit;

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode, excerpt};
use crate::notes::{self, Lying};
use crate::source::LogSource;
use crate::verdict::Requirement;
use crate::verify::VerifyOptions;

/// All of it, and what came of it so far.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    pub(crate) heads: Heads,
    pub(crate) claims: Claims,
    pub(crate) keys: Keys,
    pub(crate) recorded: Recorded,
    /// The checkpoints that were given.
    kept: Arc<[Kept]>,
    identity: Identity,
    require: Requirement,
    max_unsigned: Option<UnsignedLimit>,
    now_secs: Option<u64>,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug)]
struct Kept {
    note: Note,
    checkpoint: Checkpoint,
    /// Whether the log was verified up to it before.
    is_since: bool,
}

impl Trust {
    /// Nothing.
    pub(crate) fn none() -> Self {
        Self::of(&VerifyOptions::default(), Vec::new(), Vec::new())
    }

    fn of(options: &VerifyOptions, claims: Vec<Claim>, kept: Vec<Kept>) -> Self {
        let asks_times = matches!(options.max_unsigned, Some(UnsignedLimit::Secs(_)));
        Self {
            heads: Heads::new(&options.heads),
            claims: Claims::new(claims, asks_times),
            keys: Keys::new(options),
            recorded: Recorded::default(),
            kept: kept.into(),
            identity: options.identity.clone(),
            require: options.require,
            max_unsigned: options.max_unsigned,
            now_secs: options.now_secs,
        }
    }

    /// What was given, and what lies beside the log.
    pub(crate) fn gather(
        source: &impl LogSource,
        options: &VerifyOptions,
        ledger: &mut Ledger,
    ) -> Self {
        let keys = Keys::new(options);
        let (mut claims, mut first_origin) = (Vec::new(), None);
        notes::read(source, ledger, &mut |lying, ledger| {
            compare_origins(&mut first_origin, &lying, ledger);
            claims.push(beside(lying, &keys, ledger));
        });
        let mut kept = Vec::new();
        let pins = options.pins.iter().map(|note| (note, false));
        for (note, is_since) in pins.chain(options.since.iter().map(|note| (note, true))) {
            match note.text().parse::<Checkpoint>() {
                Ok(checkpoint) => kept.push(Kept { note: note.clone(), checkpoint, is_since }),
                Err(error) => ledger.find(not_verified().found(error)),
            }
        }
        for (number, Kept { checkpoint, .. }) in kept.iter().enumerate() {
            let (size, root) = (checkpoint.size(), *checkpoint.root());
            claims.push(Claim { size, root, by: By::Given(number) });
        }
        Self::of(options, claims, kept)
    }
}

/// What is kept of a checkpoint beside the log.
fn beside(lying: Lying, keys: &Keys, ledger: &mut Ledger) -> Claim {
    let Lying { name, note, checkpoint } = lying;
    let standing = judge(&name, &note, keys, ledger);
    let (size, root) = (checkpoint.size(), *checkpoint.root());
    let name = (name != notes::name_of(size)).then(|| name.into_boxed_str());
    Claim { size, root, by: By::Beside { name, standing } }
}

/// Who signed a checkpoint beside the log.
fn judge(name: &str, note: &Note, keys: &Keys, ledger: &mut Ledger) -> Standing {
    keys.judge(note).unwrap_or_else(|error| {
        let code = Code::CheckpointSignatureFalse;
        let finding = Finding::new(code, code.meaning()).in_file(&notes::path_of(name));
        if !broken::is(Broken::SignatureFalse) {
            ledger.find(finding.found(error));
        }
        Standing::default()
    })
}

fn compare_origins(first: &mut Option<String>, lying: &Lying, ledger: &mut Ledger) {
    let origin = lying.checkpoint.origin();
    let first = first.get_or_insert_with(|| origin.to_owned());
    if first != origin {
        let message = format!("it names another origin than the first checkpoint, {first}");
        let notice = Notice::new(NoticeCode::CheckpointOriginDiffers, excerpt(&message));
        ledger.note(notice.in_file(&notes::path_of(&lying.name)));
    }
}

fn not_verified() -> Finding {
    Finding::new(Code::PinNotVerified, Code::PinNotVerified.meaning())
}

/// As the report and the checkpoints have roots.
pub(crate) fn base64(digest: Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}
