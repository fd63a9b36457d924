//! Cases of a law, one a seed, on as many threads as there are cores.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use audit_testkit::dice::Dice;
use audit_testkit::soak::go_through;

use crate::additions::added;
use crate::attacks::attacked;
use crate::going_on::Course;
use crate::law_of_additions;
use crate::law_of_writers::{self, Answer};
use crate::past::{Past, crashed, pasts};

/// How many cases there were, by what was done, and what became of them.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Plays cases; the counts, or the first that breaks the law.
fn play(first: u64, cases: u64, case: impl Fn(u64) -> Result<Vec<String>, String> + Sync) -> Counts {
    let counts = Mutex::new(Counts::new());
    let broken = Mutex::new(Vec::new());
    go_through(first..first + cases, |seed| {
        let played = catch_unwind(AssertUnwindSafe(|| case(seed)));
        let played = played.unwrap_or_else(|_| Err("a panic, which stands above".to_owned()));
        match played {
            Ok(keys) => {
                let mut counts = counts.lock().unwrap();
                keys.into_iter().for_each(|key| *counts.entry(key).or_default() += 1);
                ControlFlow::Continue(())
            }
            Err(why) => {
                let mut broken = broken.lock().unwrap();
                broken.push(format!("seed {seed}: {why}"));
                if broken.len() < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    counts.into_inner().unwrap()
}

/// One of the logs, or one that a power cut left.
fn drawn<'p>(pasts: &'p [Past], dice: &mut Dice) -> Cow<'p, Past> {
    if dice.once_in(4) {
        Cow::Owned(crashed(dice))
    } else {
        Cow::Borrowed(&pasts[dice.index(pasts.len())])
    }
}

pub(crate) fn writers(first: u64, cases: u64) -> Counts {
    let pasts = pasts();
    play(first, cases, |seed| {
        let dice = &mut Dice::new(seed);
        let drawn = drawn(&pasts, dice);
        let past = drawn.as_ref();
        // Now and then nobody did anything.
        let is_left = dice.once_in(12);
        let (found, done) =
            if is_left { (past.files.clone(), vec![]) } else { attacked(past, &pasts, dice) };
        let course = Course::drawn(dice, past.seed.is_some());
        let answer = law_of_writers::check(past, &found, &course)
            .map_err(|why| format!("{}, {done:?}, {course:?}: {why}", past.name))?;
        let answer = match answer {
            Answer::Refused => "refused",
            Answer::Idle => "left alone",
            Answer::WentOn => "went on",
        };
        Ok(vec![format!("{answer}, {}", past.name)])
    })
}

pub(crate) fn additions(first: u64, cases: u64) -> Counts {
    let pasts = pasts();
    play(first, cases, |seed| {
        let dice = &mut Dice::new(seed);
        let drawn = drawn(&pasts, dice);
        let past = drawn.as_ref();
        let (found, done) = attacked(past, &pasts, dice);
        let more = added(&found, past, &pasts, dice);
        let added = more.done.clone();
        let verdict = law_of_additions::check(past, &found, more)
            .map_err(|why| format!("{}, {done:?}, then {added:?}: {why}", past.name))?;
        Ok(vec![format!("{verdict} before, {}", past.name)])
    })
}

pub(crate) fn say(law: &str, counts: &Counts) {
    println!("{law}:");
    for (what, count) in counts {
        println!("{count:>8} {what}");
    }
}
