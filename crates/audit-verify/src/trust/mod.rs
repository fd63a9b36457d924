//! What stands against a log from outside of its chain: checkpoints, keys, and what was kept
//! elsewhere.

mod claims;
mod conclude;
mod coverage;
mod heads;
mod keys;

use audit_checkpoint::{Checkpoint, Note};
use audit_core::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use claims::{By, Claim};
use keys::Standing;

pub(crate) use claims::Claims;
pub(crate) use conclude::End;
pub(crate) use coverage::{Coverage, Elsewhere, time_of};
pub(crate) use heads::Heads;
pub(crate) use keys::{Following, Keys};

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
    /// The size of the newest checkpoint that lies there and cannot be read, as its name says.
    unreadable: Option<u64>,
    require: Requirement,
}

/// What the log says of its checkpoints.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recorded {
    /// The size of the newest.
    pub(crate) newest: Option<u64>,
    /// Those of which it cannot be told whether it is so.
    pub(crate) uncompared: u64,
}

impl Trust {
    /// Nothing.
    pub(crate) fn none() -> Self {
        Self {
            heads: Heads::new(&[]),
            claims: Claims::new(Vec::new()),
            keys: Keys::new(&VerifyOptions::default()),
            recorded: Recorded::default(),
            unreadable: None,
            require: Requirement::default(),
        }
    }

    /// What was given, and what lies beside the log.
    pub(crate) fn gather(
        source: &impl LogSource,
        options: &VerifyOptions,
        ledger: &mut Ledger,
    ) -> Self {
        let keys = Keys::new(options);
        let mut claims = Vec::new();
        let unreadable = notes::read(source, ledger, &mut |lying, ledger| {
            let claim = beside(lying, &keys, ledger);
            claims.first().into_iter().for_each(|first| compare_origins(first, &claim, ledger));
            claims.push(claim);
        });
        let pins = options.pins.iter().cloned().map(By::Given);
        for by in pins.chain(options.since.clone().map(By::Since)) {
            let (By::Given(note) | By::Since(note)) = &by else { continue };
            match note.text().parse::<Checkpoint>() {
                Ok(checkpoint) => claims.push(Claim { checkpoint, by }),
                Err(error) => ledger.find(not_verified().found(error)),
            }
        }
        Self {
            heads: Heads::new(&options.heads),
            claims: Claims::new(claims),
            keys,
            recorded: Recorded::default(),
            unreadable,
            require: options.require,
        }
    }
}

fn beside(lying: Lying, keys: &Keys, ledger: &mut Ledger) -> Claim {
    let Lying { name, note, checkpoint } = lying;
    let standing = judge(&name, &note, keys, ledger);
    Claim { checkpoint, by: By::Beside { name, standing } }
}

/// Who signed a checkpoint beside the log.
fn judge(name: &str, note: &Note, keys: &Keys, ledger: &mut Ledger) -> Standing {
    keys.judge(note).unwrap_or_else(|error| {
        let code = Code::CheckpointSignatureFalse;
        let finding = Finding::new(code, code.meaning()).in_file(&notes::path_of(name));
        ledger.find(finding.found(error));
        Standing::Unknown
    })
}

fn compare_origins(first: &Claim, claim: &Claim, ledger: &mut Ledger) {
    let (origin, By::Beside { name, .. }) = (first.checkpoint.origin(), &claim.by) else { return };
    if origin != claim.checkpoint.origin() {
        let message = format!("it names another origin than the first checkpoint, {origin}");
        let notice = Notice::new(NoticeCode::CheckpointOriginDiffers, excerpt(&message));
        ledger.note(notice.in_file(&notes::path_of(name)));
    }
}

fn not_verified() -> Finding {
    Finding::new(Code::PinNotVerified, Code::PinNotVerified.meaning())
}

/// As the report and the checkpoints have roots.
pub(crate) fn base64(digest: Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}
