//! Nothing that is added makes a log better: no verdict milder, no finding a notice, no coverage
//! wider.

use audit_verify::{Code, Report, Verdict, verify_source};

use crate::additions::More;
use crate::builder::Files;
use crate::law_of_writers::{badness, judged, says};
use crate::oracle::segments;
use crate::past::{Levels, Past, is_so};
use crate::shelf::Shelf;

/// Adds to a log that was touched, and judges it before and after.
///
/// # Errors
///
/// What does not hold.
pub(crate) fn check(past: &Past, found: &Files, more: &More) -> Result<Verdict, String> {
    let before = judged(found, &past.levels);
    let after = judged_shelf(&Shelf::new(more.files.clone(), more.obstacles.clone()), &past.levels);
    for (level, (before, after)) in before.iter().zip(&after).enumerate() {
        compare(past, found, more, [before, after], level)
            .map_err(|why| format!("L{level}: {why}\nbefore: {before}\nafter: {after}"))?;
    }
    Ok(before[0].verdict)
}

fn judged_shelf(shelf: &Shelf, levels: &Levels) -> [Report; 3] {
    levels.each_ref().map(|options| verify_source(shelf, options, &mut |_| ()).unwrap())
}

/// Whether all that was wrong with a log that is cut off is that its last opening is cut off too, and
/// what is added makes that whole: it hides that an opening was cut, and not that the log was.
fn repairs_opening(before: &Report, after: &Report, more: &More) -> bool {
    let mut wrong = before.findings.iter().filter(|it| it.verdict == Verdict::Tampered);
    after.verdict == Verdict::Truncated
        && !more.is_beside
        && wrong.all(|it| it.code == Code::LogOpenedMissing)
}

/// Whether all that was wrong is that too much follows the last seal, and a record with a seal is added
/// behind that: whether a seal is right, only the private key tells.
fn seals_what_was_too_long(before: &Report, found: &Files, more: &More) -> bool {
    let mut wrong = before.findings.iter().filter(|it| it.verdict == Verdict::Tampered);
    let newest = segments(&more.files).last();
    let added = newest.and_then(|(name, bytes)| bytes.strip_prefix(found.get(name)?.as_slice()));
    let has_seal = |added| memchr::memmem::find(added, b"\"seal\":\"").is_some();
    before.verdict == Verdict::Tampered
        && wrong.all(|it| it.code == Code::UnsealedTooLong)
        && added.is_some_and(has_seal)
}

fn compare(
    past: &Past,
    found: &Files,
    more: &More,
    [before, after]: [&Report; 2],
    level: usize,
) -> Result<(), String> {
    // What a file says that cannot be read any more is not known: the verdict says so.
    let is_hidden = more.hides && after.verdict >= Verdict::Unverifiable;
    let is_wider = |before: Option<u64>, after: Option<u64>| {
        after.filter(|_| after > before).is_some_and(|seq| !is_so(past, &more.files, seq))
    };
    let is_wider = is_wider(before.signed_up_to, after.signed_up_to)
        || is_wider(before.covered_up_to, after.covered_up_to);
    if is_wider && !is_hidden {
        let spans = [before, after].map(|it| (it.signed_up_to, it.covered_up_to));
        return Err(format!("more is signed or covered: {spans:?}"));
    }
    // Records that are forged where others are gone, behind bytes that nobody can read: which they are
    // is not known.
    let is_unknown = !more.is_beside
        && !more.obstacles.is_empty()
        && (before.verdict, after.verdict) == (Verdict::Truncated, Verdict::Unverifiable);
    let is_repaired =
        repairs_opening(before, after, more) || seals_what_was_too_long(before, found, more);
    let is_excused = is_hidden || is_unknown || is_repaired;
    if badness(after.verdict) < badness(before.verdict) && !is_excused {
        return Err("it became milder".to_owned());
    }
    // A directory without a segment may get one: whose it is, only a key tells.
    let was_a_log = before.segments > 0;
    if was_a_log
        && !is_repaired
        && before.verdict.exit_code() != 0
        && after.verdict.exit_code() == 0
    {
        return Err("it became good".to_owned());
    }
    // Beside the segments no finding is lost either.
    if more.is_beside {
        let mut wrong = before.findings.iter().filter(|it| it.verdict == Verdict::Tampered);
        if let Some(finding) = wrong.find(|it| !says(after, it)) {
            return Err(format!("it says no more: {finding:?} at {level}"));
        }
    }
    Ok(())
}
