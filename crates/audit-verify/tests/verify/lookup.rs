//! When one record was recorded.

use audit_core::EventTime;
use audit_verify::{MemorySource, recorded_at};

use crate::builder::{Builder, lines_of};
use crate::watched::Watched;

/// Three segments of lines of very different lengths, some of them the longest there can be.
fn log() -> Builder {
    let mut log = Builder::new();
    for number in 0..300 {
        if number % 100 == 50 {
            log.open_segment();
        }
        let bytes = [10, 200, 5_000, 64_000][number * 7 % 4];
        log.record(&format!(r#"{{"event_type":"x","text":"{}"}}"#, "y".repeat(bytes)));
    }
    log
}

fn timestamp(line: &[u8]) -> EventTime {
    let line = str::from_utf8(line).unwrap();
    let (_, rest) = line.split_once(r#""timestamp":""#).unwrap();
    EventTime::parse(rest.split_once('"').unwrap().0).unwrap()
}

#[test]
fn every_record_is_found_by_its_seq() {
    let log = log();
    let lines: Vec<_> = log.files.values().flat_map(|bytes| lines_of(bytes)).collect();
    let source = MemorySource::new(log.files);
    for (seq, line) in (0..).zip(&lines) {
        assert_eq!(recorded_at(&source, seq).unwrap(), Some(timestamp(line)), "{seq}");
    }
    assert_eq!(recorded_at(&source, lines.len() as u64).unwrap(), None);
    assert_eq!(recorded_at(&MemorySource::default(), 0).unwrap(), None);
}

#[test]
fn of_a_log_whose_head_is_gone_the_first_record_is_found_for_all_before_it() {
    let mut log = log();
    log.files.pop_first();
    let first = timestamp(&lines_of(log.files.values().next().unwrap())[0]);
    assert_eq!(recorded_at(&MemorySource::new(log.files), 0).unwrap(), Some(first));
}

#[test]
fn little_is_read_however_long_the_log_is() {
    let source = Watched::new(log().files);
    recorded_at(&source, 200).unwrap().unwrap();
    let read: usize = source.reads().iter().map(|(_, bytes)| bytes).sum();
    assert!(read < 2 << 20, "{read} bytes");
}
