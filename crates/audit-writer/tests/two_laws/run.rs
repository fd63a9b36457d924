//! Cases of a law, one a seed, on as many threads as there are cores.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use audit_testkit::dice::Dice;
use audit_testkit::soak::go_through;
use audit_verify::Verdict;
use serde_json::json;

use crate::additions::added;
use crate::attacks::{KINDS, attack, attacked};
use crate::builder::Files;
use crate::going_on::Course;
use crate::law_of_additions;
use crate::law_of_writers::{self, Answer};
use crate::ledger::Ledger;
use crate::oracle::segments;
use crate::past::{Past, crashed, pasts};
use crate::steps::moments;

/// How many cases there were, by what became of them.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Plays cases; the counts, or the first that breaks the law.
fn play(first: u64, cases: u64, case: impl Fn(u64) -> Result<String, String> + Sync) -> Counts {
    let counts = Mutex::new(Counts::new());
    let broken = Mutex::new(Vec::new());
    go_through(first..first + cases, |seed| {
        let played = catch_unwind(AssertUnwindSafe(|| case(seed)));
        let played = played.unwrap_or_else(|_| Err("a panic, which stands above".to_owned()));
        match played {
            Ok(answer) => {
                *counts.lock().unwrap().entry(answer).or_default() += 1;
                ControlFlow::Continue(())
            }
            Err(why) => {
                // Said at once: a run may go on for an hour.
                eprintln!("seed {seed}: {why}");
                let mut broken = broken.lock().unwrap();
                broken.push(seed.to_string());
                if broken.len() < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "the law is broken by the seeds {}", broken.join(", "));
    counts.into_inner().unwrap()
}

/// A log that somebody touched, or nobody.
struct Case<'c> {
    past: Cow<'c, Past>,
    found: Files,
    done: Vec<&'static str>,
}

impl Case<'_> {
    fn go_on(&self, course: &Course) -> Result<Answer, String> {
        let Self { past, found, done } = self;
        law_of_writers::check(past, found, course)
            .map_err(|why| format!("{}, {done:?}, {course:?}: {why}", past.name))
    }

    fn add(&self, others: &[Past], dice: &mut Dice) -> Result<Verdict, String> {
        let Self { past, found, done } = self;
        let more = added(found, past, others, dice);
        law_of_additions::check(past, found, &more)
            .map_err(|why| format!("{}, {done:?}, then {:?}: {why}", past.name, more.done))
    }
}

/// What cases are drawn from.
struct Deck {
    pasts: Vec<Past>,
    ledger: Ledger,
}

impl Deck {
    fn new() -> Self {
        Self { pasts: pasts(), ledger: Ledger::new() }
    }

    fn draw(&self, dice: &mut Dice) -> Case<'_> {
        let past = match dice.index(8) {
            0 | 1 => {
                let (past, found, family) = self.ledger.mutant(dice);
                return Case { past: Cow::Borrowed(past), found, done: vec![family] };
            }
            2 | 3 => Cow::Owned(crashed(dice)),
            _ => Cow::Borrowed(&self.pasts[dice.index(self.pasts.len())]),
        };
        // Now and then nobody did anything.
        if dice.once_in(12) {
            return Case { found: past.files.clone(), past, done: vec![] };
        }
        let (found, done) = attacked(&past, &self.pasts, dice);
        Case { past, found, done }
    }
}

/// Lets writers go on with so many logs.
pub(crate) fn writers(first: u64, cases: u64) -> Counts {
    let deck = Deck::new();
    play(first, cases, |seed| {
        let dice = &mut Dice::new(seed);
        let case = deck.draw(dice);
        let course = Course::drawn(dice, case.past.seed.is_some());
        Ok(match case.go_on(&course)? {
            Answer::Refused => "refused".to_owned(),
            Answer::Idle => "left as it was".to_owned(),
            Answer::WentOn(verdict) => format!("went on, {verdict} alone before"),
        })
    })
}

/// Adds to so many logs.
pub(crate) fn additions(first: u64, cases: u64) -> Counts {
    let deck = Deck::new();
    play(first, cases, |seed| {
        let dice = &mut Dice::new(seed);
        let verdict = deck.draw(dice).add(&deck.pasts, dice)?;
        Ok(format!("{verdict} alone before"))
    })
}

/// Cuts the power at each operation of a life in which a writer takes each step that has an order, lets
/// somebody do each thing there that can be done without the key, and tries both laws; the cases by step.
pub(crate) fn at_each_step() -> Counts {
    let (others, moments) = (pasts(), moments());
    play(0, (moments.len() * KINDS) as u64, |number| {
        let dice = &mut Dice::new(number);
        let number = usize::try_from(number).unwrap();
        let past = moments[number / KINDS].cut(dice.seed());
        let mut found = past.files.clone();
        let is_a_log = segments(&found).next().is_some() && !past.leaves.is_empty();
        let done = is_a_log.then(|| attack(number % KINDS, &mut found, &past, &others, dice));
        let case = Case { past: Cow::Owned(past), found, done: done.into_iter().collect() };
        case.go_on(&Course::drawn(dice, true))?;
        case.add(&others, dice)?;
        Ok(case.past.name.to_owned())
    })
}

/// Shows what became of the cases of a law, for people.
pub(crate) fn say(law: &str, counts: &Counts) {
    let all: u64 = counts.values().sum();
    println!("{law}: {all} cases, none of which breaks it\n");
    for (what, count) in counts {
        println!("{count:>10} {what}");
    }
    println!();
}

/// The same, a line of JSON each.
pub(crate) fn say_rows(law: &str, seed: u64, counts: &Counts) {
    for (what, cases) in counts {
        let row = json!({
            "kind": "law", "name": law, "seed": seed, "answer": what, "cases": cases,
        });
        println!("{row}");
    }
}
