//! Processes that fight for one directory: one at a time has it, and the others are told who.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use audit_log::{AuditLogger, FlushMode, OpenError, Receipt};
use audit_verify::Verdict;

use super::{
    PATIENCE, PATIENT, Record, count_of, critical, holder_of, holder_told, opened, place, records,
    records_of, routine, segments, verified,
};

/// Names the log's directory to a process that fights for it.
const DIR: &str = "AUDIT_WRITERS_TEST_DIR";
/// How often it is to have it. One that is to have it 0 times tries once with each thread.
const TURNS: &str = "AUDIT_WRITERS_TEST_TURNS";

const PROCESSES: usize = 8;
const THREADS: usize = 8;

/// Events of one thread in one turn.
const EVENTS: usize = 3;

/// What is told of a holder that has written nothing.
const UNSAID: &str = "it has not said who it is";

/// What the tests start as another process. What it comes to stands in its standard error, a line
/// each: `refused` when it is refused for the first time, `ack SEQ:HASH NAME` for every event, and
/// at the end `locked COUNT HOLDER` for every holder that it was told of.
#[test]
#[ignore = "it is no test of its own: the others start it"]
fn the_contender() {
    let fighter = Fighter {
        dir: std::env::var_os(DIR).unwrap().into(),
        turns_left: AtomicUsize::new(std::env::var(TURNS).unwrap().parse().unwrap()),
        turns: AtomicUsize::new(0),
        refusals: Mutex::default(),
        first_refusal: Once::new(),
    };
    let tries_once = fighter.is_done();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                fighter.try_once();
                while !tries_once && !fighter.is_done() {
                    fighter.try_once();
                }
            });
        }
    });
    for (holder, count) in fighter.refusals.into_inner().unwrap() {
        tell(&format!("locked {count} {holder}"));
    }
}

struct Fighter {
    dir: PathBuf,
    turns_left: AtomicUsize,
    turns: AtomicUsize,
    /// How often each holder was told of.
    refusals: Mutex<BTreeMap<String, usize>>,
    first_refusal: Once,
}

impl Fighter {
    fn is_done(&self) -> bool {
        self.turns_left.load(Ordering::SeqCst) == 0
    }

    fn try_once(&self) {
        match opened(&self.dir, FlushMode::default()) {
            Ok(log) => {
                let left = &self.turns_left;
                let left = left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                // One that comes too late has the log for a moment, and writes nothing.
                if left.is_ok() {
                    self.take_turn(&log);
                }
            }
            Err(OpenError::Locked { holder }) => {
                *self.refusals.lock().unwrap().entry(holder).or_default() += 1;
                self.first_refusal.call_once(|| tell("refused"));
                // Whoever has it needs the processor.
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn take_turn(&self, log: &AuditLogger) {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst);
        let receipts = Mutex::new(Vec::new());
        let emit = &|thread| {
            for number in 1..=EVENTS {
                let name = format!("{}-{turn}-{thread}-{number}", std::process::id());
                let event = if number == EVENTS { critical(&name) } else { routine(&name) };
                let receipt = log.emit_with_receipt(event).unwrap();
                receipts.lock().unwrap().push((receipt, name));
            }
        };
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || emit(thread));
            }
        });
        log.shutdown(PATIENCE).unwrap();
        for (receipt, name) in receipts.into_inner().unwrap() {
            tell(&format!("ack {} {name}", receipt.wait(PATIENCE).unwrap()));
        }
    }
}

fn tell(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").unwrap();
}

/// A process that fights, and what it says.
struct Contender {
    process: Child,
    said: JoinHandle<Vec<String>>,
}

/// What a process came to.
#[derive(Debug, Default)]
struct Fought {
    pid: u32,
    acks: Vec<(Receipt, String)>,
    /// Holders that it was told of, and how often.
    locked: Vec<(String, usize)>,
}

impl Contender {
    /// Starts one. It tells `refused` when it was refused for the first time.
    fn start(dir: &Path, turns: usize, refused: Sender<()>) -> Self {
        let turns: OsString = turns.to_string().into();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::the_contender", "--ignored", "--nocapture"])
            .envs([(DIR, dir.as_os_str()), (TURNS, &turns)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let listen = move || {
            let mut said = Vec::new();
            for line in lines {
                if line == "refused" {
                    refused.send(()).unwrap_or_default(); // Not everybody waits for it.
                } else if !line.is_empty() {
                    said.push(line);
                }
            }
            said
        };
        Self { process, said: thread::spawn(listen) }
    }

    /// Waits for its end.
    fn end(mut self) -> Fought {
        let said = self.said.join().unwrap();
        assert!(self.process.wait().unwrap().success(), "{said:#?}");
        let mut fought = Fought { pid: self.process.id(), ..Fought::default() };
        for line in said {
            match *line.splitn(3, ' ').collect::<Vec<_>>() {
                ["ack", receipt, name] => {
                    fought.acks.push((receipt.parse().unwrap(), name.to_owned()));
                }
                ["locked", count, holder] => {
                    fought.locked.push((holder.to_owned(), count.parse().unwrap()));
                }
                _ => panic!("{line}"),
            }
        }
        fought
    }
}

#[test]
fn the_events_of_processes_that_fight_are_one_chain_and_the_refused_are_told_who_has_it() {
    const TURNS_EACH: usize = 8;
    let (_parent, dir) = place();
    let first = opened(&dir, FlushMode::default()).unwrap();
    first.emit(critical("first")).unwrap();
    let (refused, refusals) = channel();
    let start = |_| Contender::start(&dir, TURNS_EACH, refused.clone());
    let contenders: Vec<_> = (0..PROCESSES).map(start).collect();
    drop(refused);
    for _ in 0..PROCESSES {
        refusals.recv().unwrap();
    }
    first.shutdown(PATIENCE).unwrap();
    let fought: Vec<_> = contenders.into_iter().map(Contender::end).collect();

    // Every event is there once, as its process was told, and no other.
    let turns = PROCESSES * TURNS_EACH;
    let mut acks: Vec<_> = fought.iter().flat_map(|fought| fought.acks.clone()).collect();
    acks.sort_unstable_by_key(|(receipt, _)| receipt.seq);
    assert_eq!(acks.len(), turns * THREADS * EVENTS);
    let records = records(&dir);
    let kept =
        records.iter().filter_map(|record| Some((record.receipt, record.name()?.to_owned())));
    assert_eq!(acks, kept.filter(|(_, name)| name != "first").collect::<Vec<_>>());
    assert_eq!((0..).zip(&records).find(|(seq, record)| *seq != record.receipt.seq), None);
    let heads: Vec<_> = acks.iter().map(|(receipt, _)| *receipt).collect();
    let report = verified(&dir, &heads);
    assert_eq!((report.verdict, report.notices_total), (Verdict::Consistent, 0), "{report}");

    // Each turn is a segment of its own, in which nobody else writes.
    assert_eq!(segments(&dir).len(), turns + 1);
    for segment in segments(&dir) {
        let records = records_of(&segment);
        assert_eq!((count_of(&records, "log_opened"), count_of(&records, "log_closed")), (1, 1));
        let pid = opener(&records);
        for name in records.iter().filter_map(Record::name).filter(|name| *name != "first") {
            assert!(name.starts_with(&format!("{pid}-")), "{name} in a segment of process {pid}");
        }
    }

    let pids = fought.iter().map(|fought| fought.pid).chain([std::process::id()]);
    let holders: BTreeSet<_> = pids.map(holder_of).collect();
    for (holder, _) in fought.iter().flat_map(|fought| &fought.locked) {
        let known = holders.iter().any(|known| holder.ends_with(known));
        assert!(known || holder == UNSAID, "{holder} is none of {holders:?}");
    }
}

/// The process that says it opened the log in these records.
fn opener(records: &[Record]) -> u64 {
    let opened = records.iter().find(|record| record.is("log_opened")).unwrap();
    opened.event["pid"].as_u64().unwrap()
}

#[test]
fn everyone_who_comes_while_a_writer_has_the_log_is_told_exactly_that_writer() {
    let (_parent, dir) = place();
    let log = opened(&dir, FlushMode::default()).unwrap();
    log.emit(critical("first")).unwrap();
    let before = records(&dir).len();
    let start = |_| Contender::start(&dir, 0, channel().0);
    let contenders: Vec<_> = (1..PROCESSES).map(start).collect();
    for fought in contenders.into_iter().map(Contender::end) {
        let [(holder, count)] = &*fought.locked else { panic!("{fought:?}") };
        assert_eq!(*count, THREADS);
        assert!(holder.ends_with(&holder_of(std::process::id())), "{holder}");
    }
    assert_eq!(records(&dir).len(), before);
    log.emit(critical("second")).unwrap();
    let head = log.shutdown(PATIENCE).unwrap().unwrap();
    assert_eq!(verified(&dir, &[head]).verdict, Verdict::Intact);
}

#[test]
fn a_holder_that_has_written_nothing_is_not_taken_for_the_one_before() {
    let (_parent, dir) = place();
    let before = Contender::start(&dir, 1, channel().0).end();
    assert_ne!(before.acks, []);
    let log = opened(&dir, PATIENT).unwrap();
    assert_eq!(holder_told(&dir), UNSAID);
    log.emit(critical("first")).unwrap();
    let holder = holder_told(&dir);
    assert!(holder.ends_with(&holder_of(std::process::id())), "{holder}");
}
