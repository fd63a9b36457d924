//! Logs as honest writers leave them, and as others would have written them.

use audit_core::Receipt;
use audit_verify::{Report, Requirement, VerifyOptions};

use crate::accounts::{Account, Pruned, TAIL};
use crate::builder::{Builder, Files, LOG_ID};
use crate::hunt::Level;
use crate::signed::{Change, key, pin, public, verify_by};

/// What happens to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Events(u64),
    Rotate,
    /// Signs a checkpoint, if whoever writes the log has a key.
    Sign,
    Close,
    /// Opens it again, whether it was closed or not.
    Open,
    /// A crash tears a record, and the next writer accounts for it.
    Crash,
    /// Another key takes over.
    ChangeKey,
    /// Deletes all segments so far, and says so.
    Prune,
    /// Says that events were lost.
    Lose,
}

use Step::{ChangeKey, Close, Crash, Events, Lose, Open, Prune, Rotate, Sign};

/// Who writes a log.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) log_id: String,
    /// The event of this seq says something else than that of an honest hand.
    pub(crate) changed: Option<u64>,
    /// The seed of the first key, and the next ones are those of the keys after it.
    pub(crate) signer: Option<u8>,
}

/// The key that an auditor trusts, and the one of somebody who does not have it.
pub(crate) const KEY: u8 = 1;
pub(crate) const ANOTHER_KEY: u8 = 11;

impl Hand {
    /// As the log's own writer, but that it may not sign.
    pub(crate) fn honest(is_signing: bool) -> Self {
        Self { log_id: LOG_ID.to_owned(), changed: None, signer: is_signing.then_some(KEY) }
    }

    /// Does one thing.
    fn act(&self, log: &mut Builder, step: Step, signer: &mut Option<u8>) {
        match step {
            Events(count) => (0..count).for_each(|_| self.event(log)),
            Rotate => log.open_segment(),
            Sign => sign(log, *signer),
            Close => log.close(),
            Open => {
                log.open_segment();
                log.log_opened();
            }
            Crash => crash(log),
            ChangeKey => change_key(log, signer),
            Prune => prune(log),
            Lose => log.record(
                r#"{"event_type":"events_lost","count":3,"critical_count":1,"reason":"queue_full","first":"2026-01-02T03:04:05.000000006Z","last":"2026-01-02T03:04:06.000000006Z"}"#,
            ),
        }
    }

    fn event(&self, log: &mut Builder) {
        if self.changed == Some(log.seq) {
            log.record(r#"{"event_type":"another","worker_id":"w"}"#);
        } else {
            log.event();
        }
    }

    /// Each state of a log on its way through these steps, beginning with `log`.
    pub(crate) fn play(&self, mut log: Builder, steps: &[Step]) -> Vec<Builder> {
        let mut signer = self.signer;
        let mut states = vec![log.clone()];
        for step in steps {
            self.act(&mut log, *step, &mut signer);
            states.push(log.clone());
        }
        states
    }

    /// A log that has just been opened for the first time.
    pub(crate) fn begin(&self) -> Builder {
        let mut log = Builder::empty();
        log.log_id.clone_from(&self.log_id);
        log.open_segment();
        log.log_opened();
        log
    }
}

/// A log that is closed says nothing more.
fn sign(log: &mut Builder, signer: Option<u8>) {
    let Some(signer) = signer else { return };
    if last_line(log).contains("log_closed") {
        log.sign(&key(signer));
    } else {
        log.sign_and_record(&key(signer));
    }
}

fn last_line(log: &Builder) -> &str {
    std::str::from_utf8(&log.files[&log.file]).unwrap().lines().last().unwrap()
}

fn crash(log: &mut Builder) {
    let offset = log.files[&log.file].len();
    log.append(TAIL);
    go_on(log, &Account::of(log, offset));
}

/// A writer opens a log, and accounts for a tail.
pub(crate) fn go_on(log: &mut Builder, account: &Account) {
    log.open_segment();
    log.record(&account.event());
    log.log_opened();
}

fn change_key(log: &mut Builder, signer: &mut Option<u8>) {
    let Some(old) = *signer else { return };
    log.open_segment();
    let new = old + 1;
    let change = Change {
        log_id: log.log_id.clone(),
        seq: log.seq,
        old: key(old),
        new: key(new),
        old_signer: key(old),
        new_signer: key(new),
    };
    log.record(&change.event());
    *signer = Some(new);
}

fn prune(log: &mut Builder) {
    let pruned = Pruned::all_of(log);
    log.open_segment();
    log.record(&pruned.event());
    log.files.retain(|name, _| !pruned.files.contains(name));
}

/// An honest log, and what an auditor has of it.
pub(crate) struct Log {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
    /// From its first opening on, as of each step.
    pub(crate) states: Vec<Builder>,
    pub(crate) files: Files,
    /// Its newest checkpoint, which covers its end; none if it is not signed.
    pub(crate) newest: Option<String>,
    head: Receipt,
}

const LOGS: [(&str, bool, &[Step]); 6] = [
    ("unsigned", false, &[Events(3), Rotate, Events(3), Rotate, Events(2)]),
    ("unsigned, recovered", false, &[Events(2), Crash, Events(2), Close, Open, Events(1), Close]),
    (
        "signed",
        true,
        &[Events(2), Sign, Events(2), Rotate, Events(2), Sign, Rotate, Events(2), Close, Sign],
    ),
    ("recovered", true, &[Events(2), Sign, Events(1), Crash, Sign, Rotate, Events(2), Close, Sign]),
    ("pruned", true, &[Events(2), Sign, Prune, Events(2), Sign, Rotate, Events(2), Close, Sign]),
    (
        "key changed",
        true,
        &[Events(2), Sign, ChangeKey, Sign, Events(2), Rotate, Events(1), Close, Sign],
    ),
];

impl Log {
    /// One of each kind.
    pub(crate) fn all() -> Vec<Self> {
        (0..Self::KINDS).map(Self::of_kind).collect()
    }

    pub(crate) const KINDS: usize = LOGS.len();

    pub(crate) fn of_kind(kind: usize) -> Self {
        let (name, is_signed, steps) = LOGS[kind];
        let hand = Hand::honest(is_signed);
        let states = hand.play(hand.begin(), steps);
        let last = states.last().unwrap().clone();
        let newest = last.files.keys().rfind(|name| is_note(name)).cloned();
        let head = last.head();
        Self { name, steps, files: last.files, states, newest, head }
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.newest.is_some()
    }

    /// What is said of files by whoever has what a level says.
    pub(crate) fn judge(&self, files: &Files, level: Level) -> Report {
        let mut options = VerifyOptions::default();
        if level >= Level::Key && self.is_signed() {
            options.keys = vec![public(&key(KEY))];
            options.require = Requirement::Signed;
        }
        if level >= Level::Kept {
            options.pins = self.newest.iter().map(|newest| pin(&self.files[newest])).collect();
            options.heads = vec![self.head];
            options.require = Requirement::Intact;
        }
        verify_by(files, &options)
    }

    /// At which level it is found that the end of the log is gone, or another one.
    pub(crate) fn level_of_its_end(&self) -> Level {
        if self.is_signed() { Level::Chain } else { Level::Kept }
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).filter(|name| !is_note(name)).collect()
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).filter(|name| is_note(name)).collect()
    }

    /// Whether these are its segments, and no others.
    pub(crate) fn has_its_records(&self, files: &Files) -> bool {
        let names = files.keys().map(String::as_str).filter(|name| !is_note(name));
        names.eq(self.segments())
            && self.segments().iter().all(|name| files[*name] == self.files[*name])
    }

    pub(crate) fn is_last(&self, segment: &str) -> bool {
        self.segments().last() == Some(&segment)
    }
}

pub(crate) fn is_note(name: &str) -> bool {
    name.starts_with("checkpoints/")
}
