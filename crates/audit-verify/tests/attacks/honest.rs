//! Logs as writers leave them, played step by step, so that every earlier state is known, and so
//! that somebody who can compute hashes can play them otherwise from any step on.

use audit_core::{Digest, Frontier};
use audit_verify::{AdoptedRecords, VerifyOptions};

use crate::accounts::Pruned;
use crate::builder::{Builder, Files, hash_of};
use crate::family::Level;
use crate::oracle::{records_of, segments};
use crate::player::{Player, Signer};
use crate::signed::{note_path, pin};

/// What a writer does, or what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A writer opens the log.
    Open,
    /// A writer without a key opens a log that another is to seal.
    OpenBare,
    /// The first writer with the key takes all over, by an operator's word.
    Adopt,
    Event,
    /// Several events in one write, of which a log that seals seals the last.
    Batch,
    /// The log goes on in a new segment.
    Rotate,
    /// A checkpoint is signed, and recorded.
    Sign,
    /// The writer closes the log.
    Close,
    /// The closing checkpoint, which the next opening would record.
    SignClosed,
    /// A crash leaves the beginning of a line.
    Tear,
    /// A crash leaves a lost block and what stood behind it.
    TearBlocks,
    /// A crash leaves events that are whole, whose seal is lost, and the beginning of a line.
    TearBatch,
    /// The same, without a part of a line.
    CutBatch,
    /// A writer opens the log and accounts for what the crash left.
    Recover,
    /// All segments but the newest are deleted.
    Prune,
    /// The log goes on with its second key.
    ChangeKey,
}

impl Step {
    /// Whether it adds what a caller reports.
    pub(crate) fn is_event(self) -> bool {
        matches!(self, Event | Batch)
    }
}

use Step::{
    Adopt, Batch, ChangeKey, Close, CutBatch, Event, Open, OpenBare, Prune, Recover, Rotate, Sign,
    SignClosed, Tear, TearBatch, TearBlocks,
};

/// A log by its name, whether it is sealed, and what its writers do.
type Played = (&'static str, bool, &'static [Step]);

/// The logs that are attacked. They are short, so that every place of them can be had.
const LOGS: [Played; 15] = [
    (
        "three segments, closed",
        false,
        &[Open, Event, Event, Rotate, Event, Event, Rotate, Event, Close],
    ),
    ("open", false, &[Open, Event, Rotate, Event, Event]),
    ("reopened", false, &[Open, Event, Close, Open, Event, Event]),
    ("recovered line", false, &[Open, Event, Event, Tear, Recover, Event, Event, Close]),
    ("recovered blocks", false, &[Open, Event, TearBlocks, Recover, Event]),
    ("pruned", false, &[Open, Event, Rotate, Event, Rotate, Event, Prune, Event, Close]),
    (
        "signed",
        false,
        &[Open, Event, Sign, Event, Rotate, Event, Sign, Rotate, Event, Event, Close, SignClosed],
    ),
    (
        "key changed",
        false,
        &[Open, Event, Sign, ChangeKey, Event, Rotate, Event, Sign, Event, Close, SignClosed],
    ),
    (
        "sealed",
        true,
        &[Open, Batch, Sign, Rotate, Event, Sign, Rotate, Batch, Event, Close, SignClosed],
    ),
    ("sealed, open, signed", true, &[Open, Event, Sign, Rotate, Batch, Batch, SignClosed]),
    ("sealed, open, not signed yet", true, &[Open, Event, Rotate, Batch, Event, Batch]),
    (
        "sealed, recovered",
        true,
        &[
            Open, Event, Sign, TearBatch, Recover, Batch, CutBatch, Recover, Event, Close,
            SignClosed,
        ],
    ),
    (
        "sealed, key changed",
        true,
        &[Open, Batch, Sign, ChangeKey, Event, Rotate, Batch, Sign, Event, Close, SignClosed],
    ),
    (
        "sealed, adopted",
        true,
        &[OpenBare, Event, Event, Close, Adopt, Event, Sign, Batch, Close, SignClosed],
    ),
    (
        "sealed, pruned",
        true,
        &[Open, Event, Rotate, Batch, Rotate, Event, Prune, Rotate, Batch, Close, SignClosed],
    ),
];

/// A log as its writers left it.
#[derive(Clone, Debug)]
pub(crate) struct Honest {
    pub(crate) name: &'static str,
    pub(crate) is_sealed: bool,
    pub(crate) steps: &'static [Step],
    pub(crate) files: Files,
    /// The directory as it was after each step and each checkpoint, the last one included.
    pub(crate) states: Vec<Files>,
    /// The hashes of all records, those deleted meanwhile too.
    leaves: Vec<Digest>,
    is_signed: bool,
    /// By level.
    options: [VerifyOptions; 3],
}

impl Honest {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        LOGS.into_iter().map(Self::of).collect()
    }

    fn of((name, is_sealed, steps): Played) -> Self {
        let mut player = Player::new(Signer::Owner, is_sealed);
        for step in steps {
            player.play(*step);
            player.keep_state();
        }
        let Player { log, states, .. } = player;
        let leaves = leaves_of(&states);
        assert_eq!(leaves.len() as u64, log.seq, "{name}");
        let pin = log.files.get(&note_path(log.seq)).map(|bytes| pin(bytes));
        let mut options = Level::ALL.map(|level| level.options(log.head(), pin.as_ref()));
        if steps.contains(&Adopt) {
            for options in &mut options {
                options.adopted = AdoptedRecords::Allow;
            }
        }
        let is_signed = pin.is_some();
        Self { name, is_sealed, steps, is_signed, files: log.files, states, leaves, options }
    }

    /// The hashes of the first records.
    pub(crate) fn leaves(&self, count: u64) -> &[Digest] {
        &self.leaves[..usize::try_from(count).unwrap()]
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// What it is verified against at a level.
    pub(crate) fn options(&self, level: Level) -> &VerifyOptions {
        &self.options[level as usize]
    }

    pub(crate) fn is_pruned(&self) -> bool {
        self.steps.contains(&Prune)
    }

    pub(crate) fn changes_its_key(&self) -> bool {
        self.steps.contains(&ChangeKey)
    }

    /// The first steps up to `length`, with another event at step `at`, signed by the log's keys.
    pub(crate) fn fork(&self, at: usize, length: usize) -> Option<Files> {
        let shorter = Self { steps: &self.steps[..length], ..self.clone() };
        let log = shorter.rewritten(at, Signer::Owner).filter(|_| at > 0)?;
        Some(log.files)
    }

    /// The same steps with another event at step `at`, and by what is then due, all that follows.
    /// `None` where that step is no event.
    pub(crate) fn rewritten(&self, at: usize, signer: Signer) -> Option<Builder> {
        let mut player = Player::new(signer, self.is_sealed);
        if at == 0 {
            player.log.log_id = "f".repeat(32);
        } else if !self.steps[at].is_event() {
            return None;
        }
        for (number, step) in self.steps.iter().enumerate() {
            if number == at && at > 0 {
                player.forge(*step);
            } else {
                player.play(*step);
            }
        }
        Some(player.log)
    }
}

/// The hashes of all records that ever were.
fn leaves_of(states: &[Files]) -> Vec<Digest> {
    let mut longest = Files::new();
    longest.extend(states.iter().flatten().map(|(name, bytes)| (name.clone(), bytes.clone())));
    let of = |(_, bytes): (&String, &Vec<u8>)| {
        records_of(bytes).into_iter().filter_map(|line| hash_of(&line)).collect::<Vec<_>>()
    };
    segments(&longest).flat_map(of).collect()
}

/// The frontier of the tree over these.
pub(crate) fn frontier_of(leaves: &[Digest]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier
}

/// What a deletion says of these segments, which hold the first records of a log, by their hashes.
pub(crate) fn pruned(leaves: &[Digest], files: Vec<String>) -> Pruned {
    let last = leaves.len() - 1;
    let roots = frontier_of(leaves).roots().to_vec();
    Pruned { last_seq: last as u64, last_hash: leaves[last], roots, files }
}
