//! `audit prove`: that a record is in a log, or that a log has only grown, in a few hundred bytes.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use audit_core::{Digest, Frontier, Inert};
use audit_log::checkpoint::{
    ConsistencyProof, InclusionProof, ProofError, Prover, TreeError, check_consistency,
    check_inclusion,
};
use audit_verify::{DirSource, RecordView, View, Viewer};
use clap::Args;
use serde_json::Value;

use crate::notes::{self, NoteFileError, Stated};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit prove signed.log 3
  $ audit prove signed.log --since shop-1.note

Exit status: 0 when the proof is there, 1 when the log does not bear it out, 2 when the command could
not do its work.";

/// Proves that a record is in a log, or that the log only grew.
///
/// A proof of a record is two files, called like its audit id: the record (.json) and a tlog-proof
/// (.tlog-proof) with the newest checkpoint beside the log. With --since, it is one file
/// (.consistency-proof). Anybody can check either with `audit check-proof`, offline and without the
/// log. The log may be in use.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProveArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// The record
    #[arg(value_name = "SEQ", required_unless_present = "since")]
    seq: Option<u64>,

    /// An older checkpoint: prove that the newest one extends it
    #[arg(long, value_name = "NOTE", conflicts_with = "seq")]
    since: Option<PathBuf>,

    /// The directory that the proof is written to; a file of its name must not be there
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Note(#[from] NoteFileError),
    #[error("there is no checkpoint beside {0}: sign one with audit checkpoint")]
    NoCheckpoint(String),
    #[error("no checkpoint covers record {seq} yet: the newest covers {size} records")]
    NotCovered { seq: u64, size: u64 },
    #[error("the checkpoint {old} covers more records than the newest beside the log, {new}")]
    NotOlder { old: u64, new: u64 },
    #[error("cannot look at {dir}: {source}")]
    Look { dir: String, source: io::Error },
    #[error("{0} is not whole up to its checkpoint: see audit verify")]
    NotWhole(String),
    #[error("the log does not bear out its checkpoint ({0}): see audit verify")]
    Contradicted(TreeError),
    #[error("record {0} was deleted by retention, so it can no longer be proven")]
    Deleted(u64),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error("cannot print: {0}")]
    Print(io::Error),
}

impl Fault {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NotWhole(_) | Self::Contradicted(_) | Self::NotOlder { .. } => 1,
            Self::Note(_)
            | Self::NoCheckpoint(_)
            | Self::NotCovered { .. }
            | Self::Look { .. }
            | Self::Deleted(_)
            | Self::Proof(_)
            | Self::Write { .. }
            | Self::Print(_) => 2,
        }
    }
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &ProveArgs) -> u8 {
    match prove(args) {
        Ok(()) => 0,
        Err(fault) => {
            output::complain(&fault);
            fault.exit_code()
        }
    }
}

fn prove(args: &ProveArgs) -> Result<(), Fault> {
    let newest = notes::newest(&args.dir)?.ok_or_else(|| Fault::NoCheckpoint(shown(&args.dir)))?;
    match (args.seq, &args.since) {
        (Some(seq), _) => prove_record(args, seq, newest),
        (None, Some(since)) => prove_growth(args, &notes::read(since)?, newest),
        // The command line has one of them.
        (None, None) => Ok(()),
    }
}

fn prove_record(args: &ProveArgs, seq: u64, newest: Stated) -> Result<(), Fault> {
    let Stated { note, checkpoint } = newest;
    let (size, root) = (checkpoint.size(), *checkpoint.root());
    let prover = Prover::inclusion(seq, size).map_err(|_| Fault::NotCovered { seq, size })?;
    let mut wanted = None;
    let hashes = walk(args, size, prover, |record| {
        if record.seq == seq {
            wanted = Some((record.audit_id.to_owned(), record.line.to_owned(), record.hash));
        }
    })?;
    let (audit_id, line, leaf) = wanted.ok_or(Fault::Deleted(seq))?;
    check_inclusion(seq, size, leaf, &hashes, &root).map_err(Fault::Contradicted)?;
    let proof = InclusionProof::new(seq, hashes, note)?;
    write(args, &format!("{audit_id}.json"), &[&line, b"\n"])?;
    write(args, &format!("{audit_id}.tlog-proof"), &[proof.to_string().as_bytes()])
}

fn prove_growth(args: &ProveArgs, since: &Stated, newest: Stated) -> Result<(), Fault> {
    let Stated { note, checkpoint } = newest;
    let (old, new) = (&since.checkpoint, &checkpoint);
    let (old_size, size) = (old.size(), new.size());
    let prover = Prover::consistency(old_size, size)
        .map_err(|_| Fault::NotOlder { old: old_size, new: size })?;
    let hashes = walk(args, size, prover, |_| ())?;
    check_consistency(old_size, old.root(), size, new.root(), &hashes)
        .map_err(Fault::Contradicted)?;
    let proof = ConsistencyProof::new(old_size, hashes, note)?;
    let name = format!("{old_size}-to-{size}.consistency-proof");
    write(args, &name, &[proof.to_string().as_bytes()])
}

/// Hands the first `size` records to a prover, and shows each.
fn walk(
    args: &ProveArgs,
    size: u64,
    prover: Prover,
    mut show: impl FnMut(&RecordView<'_>),
) -> Result<Vec<Digest>, Fault> {
    let failed = |source| Fault::Look { dir: shown(&args.dir), source };
    let source = DirSource::open_dir(&args.dir).map_err(failed)?;
    let mut prover = Some(prover);
    let mut given = 0;
    let mut fault = None;
    let read = Viewer::new(source).read(&mut |view| {
        let View::Record(record) = view else {
            let is_fault = matches!(view, View::Faulty { .. });
            fault = is_fault.then(|| Fault::NotWhole(shown(&args.dir)));
            return if is_fault { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        };
        if given == 0 && record.seq > 0 {
            prover = prover.take().zip(frontier_before(&record)).and_then(|(prover, frontier)| {
                given = record.seq;
                prover.after(&frontier).ok()
            });
        }
        if let Some(prover) = &mut prover {
            prover.push(record.hash);
        }
        show(&record);
        given = record.seq.saturating_add(1);
        if given < size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let _seen = read.map_err(failed)?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let prover = prover.ok_or_else(|| Fault::Deleted(args.seq.unwrap_or_default()))?;
    prover.finish().map_err(|_| Fault::NotWhole(shown(&args.dir)))
}

/// What the first record of a log whose older segments were deleted says of the tree before it.
fn frontier_before(record: &RecordView<'_>) -> Option<Frontier> {
    let event: Value = serde_json::from_slice(record.event).ok()?;
    let roots = event.get("merkle_frontier")?.as_array()?.iter();
    let roots = roots.map(|root| Digest::from_hex(root.as_str()?.as_bytes()));
    Frontier::from_roots(record.seq, &roots.collect::<Option<Vec<_>>>()?)
}

fn write(args: &ProveArgs, name: &str, parts: &[&[u8]]) -> Result<(), Fault> {
    let path = args.out.join(name);
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = made.and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)));
    written.map_err(|source| Fault::Write { path: shown(&path), source })?;
    output::print(format_args!("{}\n", shown(&path))).map_err(Fault::Print)
}

fn shown(path: &Path) -> String {
    Inert(&path.to_string_lossy()).to_string()
}
