//! What a crash leaves of a file, and what only a hand leaves.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use std::io;

use audit_core::digest::leaf_hash;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const NO_RECORD: &str = "one of its lines is no record and holds no lost block";
const STRAY: &str = "it holds NULs that no lost block leaves";
const UNLINKED: &str = "one of its records is whole and does not follow";

/// A file of which each read gives a few bytes at most.
#[derive(Debug)]
struct Slow<'b> {
    bytes: &'b [u8],
    step: usize,
}

impl LogFile for Slow<'_> {
    fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.bytes.len()).unwrap())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[usize::try_from(offset).unwrap()..];
        let read = rest.len().min(buffer.len()).min(self.step);
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

/// What follows so many bytes of a file, read in such steps.
fn look(bytes: &[u8], start: usize, step: usize) -> Tail {
    let end = u64::try_from(bytes.len()).unwrap();
    let span = Span { start: u64::try_from(start).unwrap(), lines_before: 7, end };
    examine(&Slow { bytes, step }, span, Before::default(), &mut Buffer::small()).unwrap()
}

/// The fault of a tail that begins at this place of its file.
fn fault(start: usize, tail: &[u8]) -> Option<&'static str> {
    let file = [&vec![b'\n'; start], tail].concat();
    let seen = look(&file, start, usize::MAX);
    assert_eq!(seen.bytes, u64::try_from(tail.len()).unwrap());
    assert_eq!(seen.sha256, Digest::of(tail));
    seen.fault
}

/// A record with its line feed. Its text makes it longer by as many bytes.
fn record_line(seq: u64, prev_hash: Digest, more: usize) -> (Vec<u8>, Digest) {
    let text = "x".repeat(more);
    let body = format!(
        r#"{{"v":1,"seq":{seq},"audit_id":"audit-s-{seq:016x}","timestamp":"2026-01-02T00:00:00.000000000Z","service_id":"s","event":{{"event_type":"x","a":"{text}"}},"prev_hash":"{prev_hash}""#
    );
    let hash = leaf_hash(body.as_bytes());
    (format!("{body},\"hash\":\"{hash}\"}}\n").into_bytes(), hash)
}

/// Linked records, of which each is longer by as many bytes; each as a line.
fn chain(lengths: &[usize]) -> Vec<Vec<u8>> {
    let records = (0..).zip(lengths).scan(Digest::ZERO, |prev_hash, (seq, &more)| {
        let (line, hash) = record_line(seq, *prev_hash, more);
        *prev_hash = hash;
        Some(line)
    });
    records.collect()
}

/// A line feed behind NULs from `start` to a block.
fn lost_line(start: usize) -> Vec<u8> {
    let nuls = start.next_multiple_of(512) - start;
    [&vec![0; nuls], &b"}\n"[..]].concat()
}

#[test]
fn a_record_cut_at_any_byte_is_an_interrupted_append() {
    let [line] = &chain(&[40])[..] else { panic!("one record") };
    for start in [0, 1, 511, 512, 700] {
        for cut in 0..line.len() {
            assert_eq!(fault(start, &line[..cut]), None, "{cut} bytes at {start}");
        }
    }
    let whole = look(&line[..line.len() - 1], 0, usize::MAX);
    assert_eq!(
        (whole.fault, whole.valid_records),
        (None, 0),
        "without its line feed it is not whole"
    );
}

#[test]
fn a_whole_record_and_any_other_byte_is_no_interrupted_append() {
    let [line] = &chain(&[40])[..] else { panic!("one record") };
    let record = &line[..line.len() - 1];
    for byte in (0..=u8::MAX).filter(|&byte| byte != b'\n') {
        let stray = if byte == 0 { STRAY } else { GOES_ON };
        assert_eq!(fault(3, &[record, &[byte]].concat()), Some(stray), "{byte:#x}");
        assert_eq!(fault(3, &[record, &[byte], &line[..100]].concat()), Some(stray), "{byte:#x}");
        assert!(fault(3, &[record, &[byte], line].concat()).is_some(), "{byte:#x}");
    }
    // The disk lost the block that begins with the line feed.
    assert_eq!(fault(1_024 - record.len(), &[record, &[0; 9]].concat()), None);
}

#[test]
fn an_unfinished_line_longer_than_any_record_is_no_crash() {
    let [line, longest] = &chain(&[40, 65_535 - 302])[..] else { panic!("two records") };
    assert_eq!(longest.len(), 65_536);
    assert_eq!(fault(3, &longest[..65_535]), None);
    for record in [line, longest].map(|line| &line[..line.len() - 1]) {
        for more in [65_536 - record.len(), 70_000, 300_000] {
            let tail = [record, &vec![b'x'; more]].concat();
            assert_eq!(fault(3, &tail), Some(TOO_LONG), "{more} more");
            assert_eq!(look(&tail, 0, 999).fault, Some(TOO_LONG), "{more} more, slowly");
        }
    }
    for (length, found) in [(65_535, None), (65_536, Some(TOO_LONG)), (300_000, Some(TOO_LONG))] {
        assert_eq!(fault(3, &vec![b'x'; length]), found, "{length} that begin with no record");
        let ended = [vec![b'x'; length], b"\n".to_vec()].concat();
        assert_eq!(fault(3, &ended), Some(NO_RECORD), "{length} with a line feed");
    }
    assert_eq!(fault(3, &[vec![b'x'; 70_000 - 3], vec![0; 512]].concat()), Some(STRAY));
    assert_eq!(fault(3, &[vec![b'x'; 71_680 - 3], vec![0; 512]].concat()), None);
}

#[test]
fn a_line_with_any_bit_flipped_is_no_crash() {
    let lines = chain(&[0, 40]);
    let start = lines[0].len();
    for at in start..lines.concat().len() {
        for bit in 0..8 {
            let mut bytes = lines.concat();
            bytes[at] ^= 1 << bit;
            assert!(look(&bytes, start, usize::MAX).fault.is_some(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_line_that_is_no_record_is_no_crash_once_it_has_a_line_feed() {
    for line in ["\n", "x\n", "{}\n", "\r\n", "\n\n", "{\"v\":1,\n", "\u{e9}\nrest", "x\ny"] {
        assert_eq!(fault(3, line.as_bytes()), Some(NO_RECORD), "{line:?}");
        let later = [&lost_line(3)[..], line.as_bytes()].concat();
        assert_eq!(fault(3, &later), Some(NO_RECORD), "{line:?}");
    }
    for line in ["x", "{", "{\"v\":1,", "\r", "\u{e9}", ""] {
        assert_eq!(fault(3, line.as_bytes()), None, "{line:?}");
    }
}

/// Where a tail begins; what it holds, by runs of so many of a byte; whether that is a crash.
type Row = (usize, &'static [(usize, u8)], bool);

#[test]
fn nuls_begin_after_a_line_feed_or_at_a_block_and_end_at_a_block_or_the_end() {
    let rows: &[Row] = &[
        (0, &[(1, 0)], true),
        (3, &[(1, 0)], true),
        (3, &[(5_000, 0)], true),
        (3, &[(509, 0), (9, b'x')], true),
        (3, &[(509, 0), (9, b'x'), (1, b'\n')], true),
        (3, &[(508, 0), (9, b'x')], false),
        (3, &[(510, 0), (9, b'x')], false),
        (3, &[(512, 0), (9, b'x')], false),
        (3, &[(1, 0), (1, b'\n')], false),
        (3, &[(1_021, 0), (9, b'x')], true),
        (512, &[(512, 0), (1, b'\n')], true),
        (511, &[(1, 0), (9, b'x')], true),
        (512, &[(1, 0), (9, b'x')], false),
        (3, &[(509, b'x'), (1, 0)], true),
        (3, &[(508, b'x'), (1, 0)], false),
        (3, &[(510, b'x'), (1, 0)], false),
        (3, &[(253, b'x'), (256, 0)], false),
        (3, &[(1, b'x'), (508, 0), (1, b'x')], false),
        (3, &[(509, b'x'), (512, 0), (9, b'x'), (1, b'\n')], true),
        (3, &[(509, b'x'), (511, 0), (9, b'x')], false),
        (3, &[(509, b'x'), (513, 0), (9, b'x')], false),
        (3, &[(509, b'x'), (512, 0), (9, b'x'), (1, 0)], false),
        (3, &[(509, b'x'), (512, 0), (512, b'x'), (512, 0), (9, b'x')], true),
        (3, &[(509, b'x'), (512, 0), (511, b'x'), (513, 0), (9, b'x')], false),
        (3, &[(509, 0), (9, b'x'), (1, b'\n'), (502, 0), (1, b'x')], true),
        (3, &[(509, 0), (9, b'x'), (1, b'\n'), (501, 0), (1, b'x')], false),
        (3, &[(509, 0), (9, b'x'), (1, b'\n'), (33, 0)], true),
        (3, &[(509, 0), (9, b'x'), (1, b'\r'), (33, 0)], false),
    ];
    for &(start, runs, is_crash) in rows {
        let tail: Vec<u8> = runs.iter().flat_map(|&(count, byte)| vec![byte; count]).collect();
        assert_eq!(fault(start, &tail), (!is_crash).then_some(STRAY), "{start}: {runs:?}");
    }
}

#[test]
fn whole_records_behind_a_lost_block_are_counted() {
    let lines = chain(&[100, 900, 40, 0, 700, 10]);
    let start = lines[0].len();
    let mut bytes = lines.concat();
    bytes[512..1_024].fill(0);
    let seen = look(&bytes, start, usize::MAX);
    assert_eq!((seen.fault, seen.valid_records), (None, 4));
    assert_eq!(seen.sha256, Digest::of(&bytes[start..]));
    let cut = look(&bytes[..bytes.len() - 1], start, usize::MAX);
    assert_eq!((cut.fault, cut.valid_records), (None, 3));
    let mut twice = bytes.clone();
    twice[1_536..2_048].fill(0);
    let seen = look(&twice, start, usize::MAX);
    assert_eq!((seen.fault, seen.valid_records), (None, spared(&twice[start..], &lines)));
}

#[test]
fn what_a_lost_block_spares_has_to_be_unchanged() {
    let lines = chain(&[100, 900, 40, 0, 700, 10]);
    let start = lines[0].len();
    let mut lost = lines.concat();
    lost[512..1_024].fill(0);
    let third = lines[0].len() + lines[1].len();
    for at in third..lost.len() {
        let mut changed = lost.clone();
        changed[at] ^= 1;
        assert!(look(&changed, start, usize::MAX).fault.is_some(), "byte {at}");
    }
}

#[test]
fn records_that_do_not_follow_each_other_were_moved() {
    let lines = chain(&[0, 1, 2, 3, 4]);
    let tail = |picked: &[usize]| {
        let lost = lost_line(3);
        let picked = picked.iter().flat_map(|&index| lines[index].clone());
        lost.into_iter().chain(picked).collect::<Vec<_>>()
    };
    for picked in [&[][..], &[1], &[4], &[0, 1, 2, 3, 4], &[2, 3]] {
        assert_eq!(fault(3, &tail(picked)), None, "{picked:?}");
    }
    for picked in [&[1, 3][..], &[1, 1], &[2, 1], &[0, 1, 2, 4], &[1, 2, 1]] {
        assert_eq!(fault(3, &tail(picked)), Some(UNLINKED), "{picked:?}");
    }
    // Behind another lost block there may be a gap.
    let mut gap = tail(&[1]);
    gap.extend(lost_line(3 + gap.len()));
    gap.extend(&lines[4]);
    assert_eq!(fault(3, &gap), None);
    // A whole record at the beginning followed, or it is not in its place.
    assert_eq!(fault(3, &lines[2]), Some(UNLINKED));
    assert_eq!(fault(3, &lines[2..].concat()), Some(UNLINKED));
}

#[test]
fn nothing_is_an_empty_tail() {
    let seen = look(b"abc\n", 4, usize::MAX);
    assert_eq!((seen.bytes, seen.valid_records, seen.fault), (0, 0, None));
    assert_eq!(seen.sha256, Digest::of(b""));
}

#[test]
fn small_reads_see_what_large_ones_see() {
    let mut lost = chain(&[100, 900, 40, 0, 700, 10]).concat();
    lost[512..1_024].fill(0);
    let stray = [&lost[..1_100], b"\0\0", &lost[1_102..]].concat();
    for file in [&lost[..], &lost[..lost.len() - 20], &stray, &[b'x'; 5_000]] {
        let start = file.iter().position(|&byte| byte == b'\n').map_or(0, |feed| feed + 1);
        let whole = look(file, start, usize::MAX);
        for step in [1, 7, 511, 512, 513] {
            let seen = look(file, start, step);
            assert_eq!((seen.bytes, seen.sha256), (whole.bytes, whole.sha256), "{step}");
            assert_eq!(
                (seen.valid_records, seen.fault),
                (whole.valid_records, whole.fault),
                "{step}"
            );
        }
    }
}

#[test]
fn a_tail_that_cannot_be_read_is_an_error_and_no_crash() {
    let span = Span { start: 0, lines_before: 0, end: 10 };
    let failed =
        examine(&Slow { bytes: b"short", step: 9 }, span, Before::default(), &mut Buffer::small());
    assert_eq!(failed.unwrap_err().offset, 5);
}

/// How far a file is what was written, in whole lines.
fn intact(file: &[u8], written: &[Vec<u8>]) -> usize {
    let ends = written.iter().scan(0, |end, line| {
        *end += line.len();
        Some((*end, line))
    });
    let whole = ends.take_while(|&(end, line)| file.get(end - line.len()..end) == Some(line));
    whole.last().map_or(0, |(end, _)| end)
}

/// How many lines are still what was written.
fn spared(tail: &[u8], written: &[Vec<u8>]) -> u64 {
    let lines = tail.split_inclusive(|&byte| byte == b'\n');
    let spared = lines.filter(|&line| written.iter().any(|whole| whole == line));
    u64::try_from(spared.count()).unwrap()
}

proptest! {
    #[test]
    fn a_cut_and_lost_blocks_always_look_like_a_crash(
        lengths in proptest::collection::vec(0..1_200_usize, 2..9),
        cut in any::<Index>(),
        blocks in proptest::collection::vec(any::<Index>(), 0..5),
        step in 1..2_000_usize,
    ) {
        let written = chain(&lengths);
        let mut file = written.concat();
        file.truncate(written[0].len() + cut.index(file.len() - written[0].len() + 1));
        let first_block = written[0].len().div_ceil(512);
        let all_blocks = file.len().div_ceil(512);
        for block in blocks.into_iter().filter(|_| all_blocks > first_block) {
            let from = (first_block + block.index(all_blocks - first_block)) * 512;
            let to = (from + 512).min(file.len());
            file[from..to].fill(0);
        }
        let start = intact(&file, &written);
        let seen = look(&file, start, step);
        prop_assert_eq!(seen.fault, None, "from {} of {}", start, file.len());
        prop_assert_eq!(seen.sha256, Digest::of(&file[start..]));
        prop_assert_eq!(seen.valid_records, spared(&file[start..], &written));
    }

    #[test]
    fn a_changed_byte_never_looks_like_a_crash(
        lengths in proptest::collection::vec(0..200_usize, 1..5),
        at in any::<Index>(),
        byte in 1..=u8::MAX,
    ) {
        let written = chain(&lengths);
        let mut file = written.concat();
        let at = at.index(file.len());
        prop_assume!(file[at] != byte);
        file[at] = byte;
        prop_assert!(look(&file, intact(&file, &written), usize::MAX).fault.is_some());
    }
}
