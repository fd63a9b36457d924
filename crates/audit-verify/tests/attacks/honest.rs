//! Logs as writers leave them, played step by step, so that every earlier state is known, and so
//! that somebody who can compute hashes can play them otherwise from any step on.

use audit_checkpoint::SigningKey;
use audit_core::{Digest, Frontier};
use audit_verify::VerifyOptions;

use crate::accounts::{Account, Pruned};
use crate::builder::{Builder, Files, hash_of, is_whole, lines_of};
use crate::family::Level;
use crate::oracle::segments;
use crate::signed::{Change, checkpoint_signed, key, note_path, pin};

/// What a writer does, or what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A writer opens the log.
    Open,
    Event,
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
    /// A writer opens the log and accounts for what the crash left.
    Recover,
    /// All segments but the newest are deleted.
    Prune,
    /// The log goes on with its second key.
    ChangeKey,
}

use Step::{
    ChangeKey, Close, Event, Open, Prune, Recover, Rotate, Sign, SignClosed, Tear, TearBlocks,
};

/// The logs that are attacked, by name. They are short, so that every place of them can be had.
const LOGS: [(&str, &[Step]); 8] = [
    ("three segments, closed", &[Open, Event, Event, Rotate, Event, Event, Rotate, Event, Close]),
    ("open", &[Open, Event, Rotate, Event, Event]),
    ("reopened", &[Open, Event, Close, Open, Event, Event]),
    ("recovered line", &[Open, Event, Event, Tear, Recover, Event, Event, Close]),
    ("recovered blocks", &[Open, Event, TearBlocks, Recover, Event]),
    ("pruned", &[Open, Event, Rotate, Event, Rotate, Event, Prune, Event, Close]),
    (
        "signed",
        &[Open, Event, Sign, Event, Rotate, Event, Sign, Rotate, Event, Event, Close, SignClosed],
    ),
    (
        "key changed",
        &[Open, Event, Sign, ChangeKey, Event, Rotate, Event, Sign, Event, Close, SignClosed],
    ),
];

/// A log as its writers left it.
#[derive(Clone, Debug)]
pub(crate) struct Honest {
    pub(crate) name: &'static str,
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
        LOGS.into_iter().map(|(name, steps)| Self::of(name, steps)).collect()
    }

    fn of(name: &'static str, steps: &'static [Step]) -> Self {
        let mut player = Player::new(Signer::Owner);
        for step in steps {
            player.play(*step);
            player.keep_state();
        }
        let Player { log, states, .. } = player;
        let leaves = leaves_of(&states);
        assert_eq!(leaves.len() as u64, log.seq, "{name}");
        let pin = log.files.get(&note_path(log.seq)).map(|bytes| pin(bytes));
        let options = Level::ALL.map(|level| level.options(log.head(), pin.as_ref()));
        Self { name, steps, is_signed: pin.is_some(), files: log.files, states, leaves, options }
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

    /// The first steps up to `length`, with another event at step `at`, signed by the log's keys.
    pub(crate) fn fork(&self, at: usize, length: usize) -> Option<Files> {
        let shorter = Self { steps: &self.steps[..length], ..self.clone() };
        let log = shorter.rewritten(at, Signer::Owner).filter(|_| at > 0)?;
        Some(log.files)
    }

    /// The same steps with another event at step `at`, and by what is then due, all that follows.
    /// `None` where that step is no event.
    pub(crate) fn rewritten(&self, at: usize, signer: Signer) -> Option<Builder> {
        let mut player = Player::new(signer);
        if at == 0 {
            player.log.log_id = "f".repeat(32);
        } else if self.steps[at] != Event {
            return None;
        }
        for (number, step) in self.steps.iter().enumerate() {
            if number == at && at > 0 {
                player.log.record(r#"{"event_type":"what_never_was","text":"forged"}"#);
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
    let whole = |bytes: &Vec<u8>| {
        let lines = lines_of(bytes).into_iter();
        lines.take_while(|line| is_whole(line)).filter_map(|line| hash_of(&line))
    };
    segments(&longest).flat_map(|(_, bytes)| whole(bytes).collect::<Vec<_>>()).collect()
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

/// Who signs what is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// Whoever has the keys of the log.
    Owner,
    /// Somebody with other keys.
    Another,
    /// Nobody: there are no checkpoints, and none is recorded.
    Nobody,
}

/// Plays steps.
struct Player {
    log: Builder,
    signer: Signer,
    key_number: u8,
    torn_from: usize,
    states: Vec<Files>,
}

impl Player {
    fn new(signer: Signer) -> Self {
        let log = Builder::empty();
        Self { log, signer, key_number: 1, torn_from: 0, states: Vec::new() }
    }

    fn key(&self, number: u8) -> Option<SigningKey> {
        match self.signer {
            Signer::Owner => Some(key(number)),
            Signer::Another => Some(key(number + 10)),
            Signer::Nobody => None,
        }
    }

    fn keep_state(&mut self) {
        self.states.push(self.log.files.clone());
    }

    fn play(&mut self, step: Step) {
        match step {
            Open => {
                self.log.open_segment();
                self.log.log_opened();
            }
            Event => self.log.event(),
            Rotate => self.log.open_segment(),
            Sign => self.sign(),
            Close => self.log.close(),
            SignClosed => drop(self.key(self.key_number).map(|key| self.log.sign(&key))),
            Tear => self.tear(br#"{"v":1,"seq":4,"audit_id":"aud"#),
            TearBlocks => self.tear_blocks(),
            Recover => self.recover(),
            Prune => self.prune(),
            ChangeKey => self.change_key(),
        }
    }

    fn sign(&mut self) {
        let (size, root) = (self.log.seq, self.log.frontier.root());
        if let Some(key) = self.key(self.key_number) {
            self.log.sign(&key);
            self.keep_state();
            self.log.record(&checkpoint_signed(size, root));
        }
    }

    fn tear(&mut self, tail: &[u8]) {
        self.torn_from = self.log.files[&self.log.file].len();
        self.log.append(tail);
    }

    /// Two lines, of which the block that the first begins in is lost.
    fn tear_blocks(&mut self) {
        let mut ahead = self.log.clone();
        let from = ahead.files[&ahead.file].len();
        ahead.events(2);
        let mut tail = ahead.files[&ahead.file][from..].to_vec();
        let block_end = (from + 1).next_multiple_of(512) - from;
        tail[..block_end].fill(0);
        self.tear(&tail);
    }

    fn recover(&mut self) {
        let mut account = Account::of(&self.log, self.torn_from);
        let tail = &self.log.files[&self.log.file][self.torn_from..];
        let whole = |line: &&[u8]| line.ends_with(b"}\n") && !line.contains(&0);
        account.valid_records =
            tail.split_inclusive(|byte| *byte == b'\n').filter(whole).count() as u64;
        self.log.open_segment();
        self.log.record(&account.event());
        self.log.log_opened();
    }

    fn prune(&mut self) {
        let newest = self.log.file.clone();
        let old: Vec<_> = self.log.files.keys().filter(|name| **name != newest).cloned().collect();
        let lines = old.iter().flat_map(|name| lines_of(&self.log.files[name]));
        let leaves: Vec<Digest> = lines.filter_map(|line| hash_of(&line)).collect();
        let pruned = pruned(&leaves, old.clone());
        self.log.record(&pruned.event());
        self.log.files.retain(|name, _| !old.contains(name));
    }

    fn change_key(&mut self) {
        let (Some(old), Some(new)) = (self.key(1), self.key(2)) else { return };
        let (Some(old_signer), Some(new_signer)) = (self.key(1), self.key(2)) else { return };
        let (log_id, seq) = (self.log.log_id.clone(), self.log.seq);
        let change = Change { log_id, seq, old, new, old_signer, new_signer };
        self.log.record(&change.event());
        self.key_number = 2;
    }
}
