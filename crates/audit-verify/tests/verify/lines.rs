//! Lines deleted, duplicated, swapped, put in.

use audit_verify::{Report, Verdict};

use crate::builder::{Builder, Files, codes, lines_of, place, twenty_records, verify};

/// The log with the lines of one file changed.
fn with_lines(files: &Files, file: &str, change: impl Fn(&mut Vec<Vec<u8>>)) -> Files {
    let mut changed = files.clone();
    let bytes = changed.get_mut(file).unwrap();
    let mut lines = lines_of(bytes);
    change(&mut lines);
    *bytes = lines.concat();
    changed
}

fn is_found_at(report: &Report, file: &str, line: usize) {
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(place(&report.findings[0]), (file, line as u64), "{report}");
}

/// Calls with each file, the file after it, and each line of it, from 0.
fn each_line(files: &Files, mut call: impl FnMut(&str, Option<&str>, usize, usize)) {
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    for (index, name) in names.iter().enumerate() {
        let lines = lines_of(&files[*name]).len();
        (0..lines).for_each(|line| call(name, names.get(index + 1).copied(), line, lines));
    }
}

/// As it is, and as it is while the writer has not yet closed it.
fn logs() -> [Files; 2] {
    let mut open = Builder::new();
    open.events(3);
    open.open_segment();
    open.events(4);
    [twenty_records().files, open.files]
}

#[test]
fn a_deleted_line_is_found_where_the_next_one_stands() {
    for files in logs() {
        each_line(&files, |file, next, line, lines| {
            let report = verify(&with_lines(&files, file, |lines| drop(lines.remove(line))));
            match next {
                _ if line + 1 < lines => is_found_at(&report, file, line + 1),
                Some(next) => is_found_at(&report, next, 1),
                // The chain alone cannot miss what nothing comes after.
                None => assert_eq!(report.verdict, Verdict::Consistent, "{report}"),
            }
        });
    }
}

#[test]
fn a_duplicated_line_is_found_where_it_stands_again() {
    for files in logs() {
        each_line(&files, |file, _, line, _| {
            let again = |lines: &mut Vec<Vec<u8>>| lines.insert(line, lines[line].clone());
            is_found_at(&verify(&with_lines(&files, file, again)), file, line + 2);
        });
    }
}

#[test]
fn a_line_that_stands_again_later_is_found_there() {
    for files in logs() {
        each_line(&files, |file, _, line, lines| {
            for to in line + 1..=lines {
                let again = |lines: &mut Vec<Vec<u8>>| lines.insert(to, lines[line].clone());
                is_found_at(&verify(&with_lines(&files, file, again)), file, to + 1);
            }
        });
    }
}

#[test]
fn two_swapped_lines_are_found_where_the_first_of_them_stands() {
    for files in logs() {
        each_line(&files, |file, _, line, lines| {
            for other in line + 1..lines {
                let swap = |lines: &mut Vec<Vec<u8>>| lines.swap(line, other);
                is_found_at(&verify(&with_lines(&files, file, swap)), file, line + 1);
            }
        });
    }
}

#[test]
fn absent_and_repeated_records_are_told_apart() {
    let files = twenty_records().files;
    let file = files.keys().nth(1).unwrap();
    let cut = with_lines(&files, file, |lines| drop(lines.drain(2..4)));
    assert_eq!(codes(&cut, Verdict::Tampered), ["records_missing"]);
    let repeated = with_lines(&files, file, |lines| lines.insert(3, lines[2].clone()));
    assert_eq!(codes(&repeated, Verdict::Tampered), ["record_out_of_order"]);
}

#[test]
fn a_log_begins_with_zeros() {
    let mut log = Builder::empty();
    log.prev_hash = audit_core::Digest::of(b"an earlier record");
    log.open_segment();
    log.log_opened();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["link_broken"]);
}

#[test]
fn a_line_moved_to_another_segment_is_found() {
    let log = twenty_records();
    let names: Vec<_> = log.files.keys().cloned().collect();
    each_line(&log.files, |file, _, line, _| {
        for other in names.iter().filter(|other| *other != file) {
            let mut moved = None;
            let mut files = log.files.clone();
            let mut lines = lines_of(&files[file]);
            moved.replace(lines.remove(line));
            files.insert(file.to_owned(), lines.concat());
            files.get_mut(other).unwrap().extend(moved.unwrap());
            assert_eq!(verify(&files).verdict, Verdict::Tampered);
        }
    });
}

#[test]
fn a_line_put_in_is_found_where_it_stands() {
    let (forged, _) = Builder::line(7, r#"{"event_type":"x"}"#, audit_core::Digest::of(b"x"));
    let foreign = ["\n", "\r\n", " \n", "{}\n", "\u{feff}\n", "\0\n", forged.as_str()];
    for files in logs() {
        each_line(&files, |file, _, line, _| {
            for text in foreign {
                let put = |lines: &mut Vec<Vec<u8>>| lines.insert(line, text.into());
                let report = verify(&with_lines(&files, file, put));
                is_found_at(&report, file, line + 1);
            }
        });
    }
}
