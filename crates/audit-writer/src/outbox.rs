//! The thread that takes checkpoints to their sinks, so that none of them holds up the log.
//!
//! It first asks each sink which checkpoint it has, until each has answered.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use audit_core::limits::SINK_RETRY_SECS;

use crate::sinks::CheckpointSink;
use crate::sync::{Arc, Mutex, lock, thread};

/// What the thread is called in a list of threads.
const THREAD_NAME: &str = "audit-sinks";

/// A sink did not take a checkpoint, or has not said which one it has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sink}: {cause}")]
#[non_exhaustive]
pub struct SinkFailure {
    /// What the sink is called.
    pub sink: String,
    /// Why it did not.
    pub cause: Arc<io::Error>,
}

/// What the thread is told. It ends when nobody can tell it anything any more.
enum Mail {
    Note(String),
    /// Answer when everything before this is done.
    Done(Sender<()>),
}

/// The checkpoint that a sink has, if it has one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sink: String,
    pub(crate) kept: Option<Vec<u8>>,
}

/// Which sink did not take the last checkpoint, as far as that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastFailure(Arc<Mutex<Served>>);

#[derive(Debug, Default)]
struct Served {
    failure: Option<SinkFailure>,
    /// The sink that has not come back yet.
    busy: Option<String>,
}

impl LastFailure {
    /// Of several, the first.
    pub(crate) fn look(&self) -> Option<SinkFailure> {
        lock(&self.0).failure.clone()
    }

    fn begin(&self, sink: &dyn CheckpointSink) {
        lock(&self.0).busy = Some(sink.name());
    }

    fn set(&self, failure: Option<SinkFailure>) {
        *lock(&self.0) = Served { failure, busy: None };
    }

    /// The sink that has not come back yet has had its time.
    fn give_up(&self) {
        let mut served = lock(&self.0);
        if let Some(sink) = served.busy.clone() {
            let cause = Arc::new(io::ErrorKind::TimedOut.into());
            served.failure = Some(SinkFailure { sink, cause });
        }
    }
}

/// Checkpoints on their way to the sinks.
#[derive(Debug)]
pub(crate) struct Outbox {
    mail: Sender<Mail>,
    answers: Receiver<Answer>,
    /// Sinks that have not answered yet.
    awaited: usize,
    failure: LastFailure,
}

impl Outbox {
    /// Starts the thread.
    pub(crate) fn start(mut sinks: Vec<Box<dyn CheckpointSink>>) -> io::Result<Self> {
        let (mail, letters) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let awaited = sinks.len();
        let failure = LastFailure::default();
        let told = failure.clone();
        let deliver = move || {
            if ask_all(&mut sinks, &letters, &answer, &told).is_ok() {
                each_newest(&letters, |note| told.set(put(&mut sinks, note, &told)));
            }
        };
        thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(deliver)?;
        Ok(Self { mail, answers, awaited, failure })
    }

    /// The next answer of a sink, if one comes in time.
    pub(crate) fn answer(&mut self, patience: Duration) -> Option<Answer> {
        let answer = self.answers.recv_timeout(patience).ok()?;
        self.awaited = self.awaited.saturating_sub(1);
        Some(answer)
    }

    /// Whether sinks have not answered yet.
    pub(crate) fn awaits(&self) -> bool {
        self.awaited > 0
    }

    /// Sends a checkpoint on its way. One that is still waiting is left out: this one covers it.
    pub(crate) fn send(&self, note: String) {
        // Without the thread, which ends only with a panic of a sink, nobody takes it.
        self.mail.send(Mail::Note(note)).unwrap_or_default();
    }

    /// Where to look for what failed.
    pub(crate) fn failure(&self) -> &LastFailure {
        &self.failure
    }

    /// Waits until all that was sent is delivered, or the deadline is over; whether it is. A sink that
    /// is waited for in vain has failed.
    pub(crate) fn finish(&self, deadline: Duration) -> bool {
        let (done, answer) = mpsc::channel();
        let sent = self.mail.send(Mail::Done(done)).is_ok();
        let is_done = sent && answer.recv_timeout(deadline).is_ok();
        if !is_done {
            self.failure.give_up();
        }
        is_done
    }
}

/// The log has gone.
struct Gone;

/// Asks each sink until it answers. Nothing is delivered before that, since a sink may have a
/// checkpoint that the log contradicts.
fn ask_all(
    sinks: &mut [Box<dyn CheckpointSink>],
    letters: &Receiver<Mail>,
    answers: &Sender<Answer>,
    failure: &LastFailure,
) -> Result<(), Gone> {
    let mut silent: Vec<_> = sinks.iter_mut().collect();
    loop {
        let mut first = None;
        silent.retain_mut(|sink| {
            failure.begin(&***sink);
            match sink.newest() {
                Ok(kept) => {
                    answers.send(Answer { sink: sink.name(), kept }).unwrap_or_default();
                    false
                }
                Err(error) => {
                    let sink = sink.name();
                    first.get_or_insert(SinkFailure { sink, cause: Arc::new(error) });
                    true
                }
            }
        });
        failure.set(first);
        if silent.is_empty() {
            return Ok(());
        }
        match letters.recv_timeout(Duration::from_secs(SINK_RETRY_SECS)) {
            Ok(Mail::Done(done)) => done.send(()).unwrap_or_default(),
            Ok(Mail::Note(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Gone),
        }
    }
}

/// Hands on each note that no other has followed yet.
fn each_newest(letters: &Receiver<Mail>, mut deliver: impl FnMut(&str)) {
    while let Ok(mut letter) = letters.recv() {
        let mut done = Vec::new();
        let mut newest = None;
        loop {
            match letter {
                Mail::Note(note) => newest = Some(note),
                Mail::Done(answer) => done.push(answer),
            }
            match letters.try_recv() {
                Ok(next) => letter = next,
                Err(_) => break,
            }
        }
        if let Some(note) = newest {
            deliver(&note);
        }
        for answer in done {
            answer.send(()).unwrap_or_default();
        }
    }
}

fn put(
    sinks: &mut [Box<dyn CheckpointSink>],
    note: &str,
    failure: &LastFailure,
) -> Option<SinkFailure> {
    let mut first = None;
    for sink in sinks {
        failure.begin(&**sink);
        if let Err(error) = sink.put(note) {
            let failure = SinkFailure { sink: sink.name(), cause: Arc::new(error) };
            first.get_or_insert(failure);
        }
    }
    first
}

/// Sleeps.
pub(crate) fn nap(time: Duration) {
    thread::sleep(time);
}
