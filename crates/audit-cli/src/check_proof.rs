//! `audit check-proof`: whether a proof holds, without the log.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::limits::{PROOF_BYTES_MAX, RECORD_BYTES_MAX};
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use audit_core::{Digest, Inert, digest};
use audit_log::checkpoint::cosignature::FUTURE_SECS_MAX;
use audit_log::checkpoint::{
    CheckpointError, ConsistencyProof, InclusionProof, NoteError, Policy, ProofError, Quorum,
    SignedCheckpoint, VerifyingKey,
};
use audit_log::writer::{Clock as _, SystemClock};
use chrono::{DateTime, SecondsFormat};
use clap::Args;
use serde_json::Value;

use crate::key_file;
use crate::notes::{self, NoteFileError, read_bounded};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit check-proof audit-web.shop-1-0000000000000003.tlog-proof --vkey shop-1.vkey

Exit status: 0 when the proof holds, 1 when it does not, 3 when that cannot be decided with the keys that
were given, 2 when the command could not look.";

/// Checks a proof that `audit prove` made, offline and without the log.
///
/// A tlog-proof shows that a record was in the log when its checkpoint was signed; a
/// .consistency-proof shows that the log only grew since an older checkpoint.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckProofArgs {
    /// The proof
    #[arg(value_name = "PROOF")]
    proof: PathBuf,

    /// The record; by default the file beside the proof that is called like it and ends in .json
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    record: Option<PathBuf>,

    /// The older checkpoint of a .consistency-proof
    #[arg(long, value_name = "NOTE")]
    since: Option<PathBuf>,

    /// The public key of the log, or the file that holds it. May be given more than once
    #[arg(
        long,
        value_name = "VKEY|FILE",
        value_parser = key_file::public,
        required_unless_present = "policy"
    )]
    vkey: Vec<VerifyingKey>,

    /// A tlog-policy: which logs are known, and which witnesses have to have seen the checkpoint
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error(transparent)]
    Note(#[from] NoteFileError),
    #[error("the older checkpoint is not to be trusted: {0}")]
    Since(Box<CheckpointError>),
    #[error("the proof does not hold: {0}")]
    Proof(Box<ProofError>),
    #[error("the record {0} is not one line of a log with a right hash")]
    NoRecord(String),
    #[error("the record has seq {seq}, and the proof is about {index}")]
    OtherRecord { seq: u64, index: u64 },
    #[error("the checkpoint was not seen by the witnesses that the policy asks for")]
    NoQuorum,
    #[error("the policy knows no such log")]
    UnknownLog,
}

impl Fault {
    /// 1 for what is refused, 3 for what cannot be decided.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Note(_) => 2,
            Self::Proof(error) => {
                let ProofError::Checkpoint(error) = &**error else { return 1 };
                of_checkpoint(error)
            }
            Self::Since(error) => of_checkpoint(error),
            Self::NoRecord(_) | Self::OtherRecord { .. } => 1,
            Self::NoQuorum | Self::UnknownLog => 3,
        }
    }
}

/// A key that is not known decides nothing.
fn of_checkpoint(error: &CheckpointError) -> u8 {
    let is_unknown = matches!(
        error,
        CheckpointError::Note(NoteError::NoTrustedSignature) | CheckpointError::NotByItsLog { .. }
    );
    if is_unknown { 3 } else { 1 }
}

/// What a proof has shown.
struct Proven {
    what: String,
    signed: SignedCheckpoint,
    quorum: Option<Quorum>,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &CheckProofArgs) -> u8 {
    match check(args) {
        Ok(proven) => output::end(output::print(proven), 0),
        Err(fault) => {
            output::complain(&fault);
            fault.exit_code()
        }
    }
}

fn check(args: &CheckProofArgs) -> Result<Proven, Fault> {
    let policy = args.policy.as_deref().map(notes::read_policy).transpose()?;
    let mut keys = args.vkey.clone();
    keys.extend(policy.iter().flat_map(Policy::keys));
    let bytes = read(&args.proof, PROOF_BYTES_MAX)?;
    let (what, signed) = match &args.since {
        Some(since) => check_growth(&bytes, since, &keys)?,
        None => check_record(args, &bytes, &keys)?,
    };
    let now = u64::try_from(SystemClock::default().now().timestamp()).unwrap_or(0);
    let until_secs = now.saturating_add(FUTURE_SECS_MAX);
    let evaluated = policy.as_ref().map(|policy| policy.evaluate_until(&signed, until_secs));
    if let Some(evaluation) = &evaluated {
        if !evaluation.knows_log() && args.vkey.is_empty() {
            return Err(Fault::UnknownLog);
        }
        if evaluation.quorum() == Quorum::NotMet {
            return Err(Fault::NoQuorum);
        }
    }
    let quorum = evaluated.map(|evaluation| evaluation.quorum());
    Ok(Proven { what, signed, quorum })
}

fn check_record(
    args: &CheckProofArgs,
    bytes: &[u8],
    keys: &[VerifyingKey],
) -> Result<(String, SignedCheckpoint), Fault> {
    let failed = |error| Fault::Proof(Box::new(error));
    let proof = InclusionProof::parse(bytes).map_err(failed)?;
    let path = args.record.clone().unwrap_or_else(|| args.proof.with_extension("json"));
    let record = read(&path, RECORD_BYTES_MAX.saturating_add(1))?;
    let (seq, leaf) = leaf(&record).ok_or_else(|| Fault::NoRecord(shown(&path)))?;
    if seq != proof.index() {
        return Err(Fault::OtherRecord { seq, index: proof.index() });
    }
    let signed = proof.check(leaf, keys).map_err(failed)?;
    Ok((format!("record {seq} is one of the log's records"), signed))
}

fn check_growth(
    bytes: &[u8],
    since: &Path,
    keys: &[VerifyingKey],
) -> Result<(String, SignedCheckpoint), Fault> {
    let failed = |error| Fault::Proof(Box::new(error));
    let proof = ConsistencyProof::parse(bytes).map_err(failed)?;
    let old = SignedCheckpoint::open(notes::read(since)?.note, keys)
        .map_err(|error| Fault::Since(Box::new(error)))?;
    let signed = proof.check(&old, keys).map_err(failed)?;
    let size = old.checkpoint().size();
    Ok((format!("the log's first {size} records are those of the older checkpoint"), signed))
}

/// The seq and the leaf hash of a record: a line of the format, whose hash is right.
fn leaf(line: &[u8]) -> Option<(u64, Digest)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (body, field) = line.split_at_checked(line.len().checked_sub(HASH_FIELD_BYTES)?)?;
    let digits = field.strip_prefix(HASH_FIELD_START)?.strip_suffix(HASH_FIELD_END)?;
    let hash = Digest::from_hex(digits)?;
    let record: Value = serde_json::from_slice(line).ok()?;
    let seq = record.get("seq")?.as_u64()?;
    (digest::leaf_hash(body) == hash).then_some((seq, hash))
}

fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let failed = |source| Fault::Read { path: shown(path), source };
    read_bounded(path, bytes_max).map_err(failed)
}

fn shown(path: &Path) -> String {
    Inert(&path.to_string_lossy()).to_string()
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checkpoint = self.signed.checkpoint();
        let (origin, size) = (Inert(checkpoint.origin()), checkpoint.size());
        writeln!(f, "PROVEN: {}", self.what)?;
        writeln!(f, "  log       {origin}")?;
        writeln!(f, "  as of     its checkpoint over {size} records")?;
        if let Some(Quorum::Met { cosigned_secs }) = self.quorum {
            let secs = i64::try_from(cosigned_secs).unwrap_or(i64::MAX);
            match DateTime::from_timestamp(secs, 0) {
                Some(at) => {
                    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                    writeln!(f, "  seen by   the policy's witnesses, at {at} at the latest")?;
                }
                None => writeln!(f, "  seen by   the policy's witnesses")?,
            }
        }
        Ok(())
    }
}
