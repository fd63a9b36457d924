//! Who plays the steps of a log, and what each step leaves.

use audit_checkpoint::SigningKey;
use audit_core::Digest;
use audit_core::lifecycle::LogId;
use audit_core::seal::SealKey;

use crate::accounts::Account;
use crate::builder::{Builder, Files, Sealing, hash_of, is_whole, lines_of};
use crate::exact::prune;
use crate::honest::{Step, pruned};
use crate::sealing::{CLOSED, OPENED};
use crate::signed::{Change, checkpoint_signed, key, public};

/// Who signs what is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// Whoever has the keys of the log.
    Owner,
    /// Somebody with other keys.
    Another,
    /// Nobody: there are no checkpoints, and none is recorded. A log that seals becomes one that
    /// never did.
    Nobody,
    /// Nobody, with seals under the name of the log's key that only have their form.
    Forger,
}

/// What a forger says.
const FORGED: &str = r#"{"event_type":"what_never_was","text":"forged"}"#;

/// Events of one write.
const BATCH: usize = 3;

/// Plays steps.
pub(crate) struct Player {
    pub(crate) log: Builder,
    pub(crate) states: Vec<Files>,
    signer: Signer,
    key_number: u8,
    torn_from: usize,
    /// What the log is sealed with once it is taken over.
    later: Option<Sealing>,
}

/// Seals that anybody can make, under the name of a key.
pub(crate) fn forged_seals(vkey: String, since: Option<u64>) -> Sealing {
    Sealing { key: SealKey::derive(&[99; 32], LogId::from_bytes([99; 16])), vkey, since }
}

impl Player {
    pub(crate) fn new(signer: Signer, is_sealed: bool) -> Self {
        let mut log = Builder::empty();
        if is_sealed {
            log.sealing = seals_of(signer, 1);
        }
        Self { log, signer, key_number: 1, torn_from: 0, states: Vec::new(), later: None }
    }

    fn key(&self, number: u8) -> Option<SigningKey> {
        match self.signer {
            Signer::Owner | Signer::Another => Some(key(key_number(self.signer, number))),
            Signer::Nobody | Signer::Forger => None,
        }
    }

    pub(crate) fn keep_state(&mut self) {
        self.states.push(self.log.files.clone());
    }

    pub(crate) fn play(&mut self, step: Step) {
        match step {
            Step::Open => self.open(&[OPENED.to_owned()]),
            Step::OpenBare => {
                self.later = self.log.sealing.take();
                self.open(&[OPENED.to_owned()]);
            }
            Step::Adopt => self.adopt(),
            Step::Event => self.log.record_own(&self.log.event_text()),
            Step::Batch => {
                self.log.events(BATCH - 1);
                self.log.record_own(&self.log.event_text());
            }
            Step::Rotate if self.log.sealing.is_some() => self.log.rotate_sealed(),
            Step::Rotate => self.log.open_segment(),
            Step::Sign => self.sign(),
            Step::Close => self.log.record_own(CLOSED),
            Step::SignClosed => drop(self.key(self.key_number).map(|key| self.log.sign(&key))),
            Step::Tear => self.tear(PART_OF_A_LINE),
            Step::TearBlocks => self.tear_blocks(),
            Step::TearBatch => self.tear_batch(PART_OF_A_LINE),
            Step::CutBatch => self.tear_batch(b""),
            Step::Recover => self.recover(),
            Step::Prune if self.log.sealing.is_some() => self.prune_exactly(),
            Step::Prune => self.prune(),
            Step::ChangeKey => self.change_key(),
        }
    }

    /// Another event in the place of what a caller reported in this step.
    pub(crate) fn forge(&mut self, step: Step) {
        if step != Step::Batch {
            return self.log.record_own(FORGED);
        }
        self.log.record(FORGED);
        self.log.events(BATCH - 2);
        self.log.record_own(&self.log.event_text());
    }

    /// Begins a segment with these records behind its first one.
    fn open(&mut self, events: &[String]) {
        open_segment(&mut self.log, events);
    }

    fn adopt(&mut self) {
        self.log.sealing = self.later.take();
        let last_seq = self.log.seq - 1;
        let adopted = format!(
            r#"{{"event_type":"records_adopted","first_seq":0,"last_seq":{last_seq},"begins":0,"why":"no_key_before"}}"#
        );
        let declared = Some(adopted).filter(|_| self.log.sealing.is_some());
        self.open(&[OPENED.to_owned()].into_iter().chain(declared).collect::<Vec<_>>());
    }

    fn sign(&mut self) {
        let (size, root) = (self.log.seq, self.log.frontier.root());
        let Some(key) = self.key(self.key_number) else { return };
        self.log.sign(&key);
        self.keep_state();
        self.log.record_own(&checkpoint_signed(&key, size, root));
    }

    fn tear(&mut self, tail: &[u8]) {
        self.torn_from = self.log.files[&self.log.file].len();
        self.log.append(tail);
    }

    /// Two lines, of which the block that the first begins in is lost.
    fn tear_blocks(&mut self) {
        let mut tail = self.ahead();
        let from = self.log.files[&self.log.file].len();
        let block_end = (from + 1).next_multiple_of(512) - from;
        tail[..block_end].fill(0);
        self.tear(&tail);
    }

    /// Two events without the seal that was to follow them. A log that never sealed has none such.
    fn tear_batch(&mut self, more: &[u8]) {
        let mut tail = self.ahead();
        if self.log.sealing.is_none() {
            tail.clear();
        }
        self.tear(&[&tail, more].concat());
    }

    /// The next two lines.
    fn ahead(&self) -> Vec<u8> {
        let mut ahead = self.log.clone();
        let from = ahead.files[&ahead.file].len();
        ahead.events(2);
        ahead.files[&ahead.file][from..].to_vec()
    }

    fn recover(&mut self) {
        let account = account(&self.log, self.torn_from);
        let declared = Some(account.event()).filter(|_| account.bytes > 0);
        let opening: Vec<_> = declared.into_iter().chain([OPENED.to_owned()]).collect();
        self.open(&opening);
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

    /// As a writer with the key does: each record is accounted for, and a checkpoint covers that
    /// before anything is gone.
    fn prune_exactly(&mut self) {
        let newest = self.log.file.clone();
        let is_old = |name: &&String| name.ends_with(".audit.jsonl") && **name != newest;
        let old: Vec<_> = self.log.files.keys().filter(is_old).cloned().collect();
        self.log.pruned = Some(prune(&mut self.log, old.len(), |_| ()));
        self.sign();
        for name in old {
            self.keep_state();
            self.log.files.remove(&name);
        }
    }

    fn change_key(&mut self) {
        let (Some(old), Some(new)) = (self.key(1), self.key(2)) else { return };
        let (Some(old_signer), Some(new_signer)) = (self.key(1), self.key(2)) else { return };
        let (log_id, mut seq) = (self.log.log_id.clone(), self.log.seq);
        let is_sealed = self.log.sealing.is_some();
        if is_sealed {
            seq += 2;
            let seals = seals_of(self.signer, 2);
            self.log.sealing = seals.map(|seals| Sealing { since: Some(seq), ..seals });
        }
        let change = Change { log_id, seq, old, new, old_signer, new_signer }.event();
        if is_sealed {
            self.open(&[OPENED.to_owned(), change]);
        } else {
            self.log.record(&change);
        }
        self.key_number = 2;
    }
}

const PART_OF_A_LINE: &[u8] = br#"{"v":1,"seq":4,"audit_id":"aud"#;

fn key_number(signer: Signer, number: u8) -> u8 {
    if signer == Signer::Another { number + 10 } else { number }
}

/// What a log is sealed with whose key has this number.
fn seals_of(signer: Signer, number: u8) -> Option<Sealing> {
    let number = key_number(signer, number);
    match signer {
        Signer::Owner | Signer::Another => Some(Sealing::by(&key(number), number)),
        Signer::Nobody => None,
        Signer::Forger => Some(forged_seals(public(&key(number)).to_string(), None)),
    }
}

/// Begins a segment with these records behind its first one, the last of them sealed where the log
/// is.
pub(crate) fn open_segment(log: &mut Builder, events: &[String]) {
    if log.sealing.is_some() {
        return log.open_with(events);
    }
    log.open_segment();
    for event in events {
        log.record(event);
    }
}

impl Builder {
    /// Appends a record of the writer's own: sealed, where the log is.
    pub(crate) fn record_own(&mut self, event: &str) {
        match self.sealing {
            None => self.record(event),
            Some(_) => self.record_sealed(event),
        }
    }
}

/// What a writer says of the tail that begins here.
pub(crate) fn account(log: &Builder, offset: usize) -> Account {
    let mut account = Account::of(log, offset);
    let tail = lines_of(&log.files[&log.file][offset..]);
    account.valid_records = tail.iter().filter(|line| is_whole(line)).count() as u64;
    if log.sealing.is_some() {
        account.kind = "unsealed";
    }
    account
}
