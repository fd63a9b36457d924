//! Tails that a writer accounted for, and accounts that are false.

use audit_core::Digest;
use audit_verify::Verdict;

use crate::accounts::{Account, TAIL, recovered_log, resumed, torn};
use crate::builder::{Builder, codes, verify};

#[test]
fn a_tail_that_is_accounted_for_is_a_notice() {
    let report = verify(&recovered_log().files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    let notices: Vec<_> = report.notices.iter().map(|notice| notice.code.as_str()).collect();
    assert_eq!(notices, ["tail_recovered", "unclean_stop"]);
    assert_eq!((report.events, report.records), (6, 11));
}

#[test]
fn lost_blocks_and_whole_records_behind_them_are_accounted_for() {
    let mut log = Builder::new();
    log.events(2);
    let offset = log.files[&log.file].len();
    let before = log.clone();
    log.events(3);
    let mut tail = log.files[&log.file][offset..].to_vec();
    tail[..(offset + 1).next_multiple_of(512) - offset].fill(0);
    let mut log = before;
    log.append(&tail);
    let valid_records = tail.split(|&byte| byte == b'\n').filter(|line| line.len() > 75);
    let valid_records = valid_records.filter(|line| !line.contains(&0)).count() as u64;
    assert!(valid_records > 0);
    let account = Account { valid_records, ..Account::of(&log, offset) };
    let log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Consistent), [""; 0]);
    let (log, account) = torn(TAIL);
    let one_more = Account { valid_records: 1, ..account };
    let log = resumed(log, &one_more);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_mismatch"]);
}

#[test]
fn a_false_account_is_found_at_the_tail() {
    let falsify: [fn(&mut Account); 3] = [
        |account| account.bytes += 1,
        |account| account.bytes -= 1,
        |account| account.sha256 = Digest::of(b"another").to_string(),
    ];
    for falsify in falsify {
        let (log, mut account) = torn(TAIL);
        falsify(&mut account);
        let log = resumed(log, &account);
        assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_mismatch"]);
        let report = verify(&log.files);
        assert_eq!(report.findings[0].line, Some(7), "{report}");
    }
}

#[test]
fn no_crash_leaves_more_than_16_mebibytes_whatever_a_writer_says() {
    for (more, newest, accounted) in
        [(0, Verdict::Torn, Verdict::Consistent), (1, Verdict::Tampered, Verdict::Tampered)]
    {
        let mut log = Builder::empty();
        log.open_segment();
        log.record(
            r#"{"event_type":"log_opened","writer":"by hand","flush_mode":"immediate","unsynced_max_bytes":18446744073709551615}"#,
        );
        log.events(2);
        let offset = log.files[&log.file].len();
        log.append(&vec![0; (1 << 24) + more]);
        assert_eq!(verify(&log.files).verdict, newest, "{more}");
        let account = Account::of(&log, offset);
        assert_eq!(verify(&resumed(log, &account).files).verdict, accounted, "{more}");
    }
}

#[test]
fn a_wrong_offset_is_found_on_either_side() {
    for wrong in [-1_isize, 1, -400, 20] {
        let (log, account) = torn(TAIL);
        let offset = account.offset.checked_add_signed(wrong).unwrap();
        let account = Account::of(&log, offset);
        assert_eq!(verify(&resumed(log, &account).files).verdict, Verdict::Tampered, "{wrong}");
    }
}

#[test]
fn whole_records_cannot_be_declared_a_tail() {
    let mut log = Builder::new();
    log.events(2);
    let (kept, offset) = (log.clone(), log.files[&log.file].len());
    log.events(2);
    let bytes = log.files[&log.file].clone();
    let mut log = kept;
    log.append(&bytes[offset..]);
    let account = Account { valid_records: 2, ..Account::of(&log, offset) };
    let log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_not_a_crash"]);
}

#[test]
fn what_no_crash_leaves_cannot_be_declared_a_tail() {
    let (changed, _) = Builder::line(6, r#"{"event_type":"x"}"#, Digest::ZERO);
    let changed = changed.replace(r#""x""#, r#""y""#);
    let overlong = vec![b'x'; 5_000];
    for tail in [changed.as_bytes(), b"abc\0\0\0", b"\n", &overlong] {
        let (log, account) = torn(tail);
        let log = resumed(log, &account);
        assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_not_a_crash"]);
    }
}

#[test]
fn a_tail_behind_log_closed_cannot_be_declared() {
    let mut log = Builder::new();
    log.close();
    let offset = log.files[&log.file].len();
    log.append(TAIL);
    let account = Account::of(&log, offset);
    let log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_not_a_crash"]);
}

#[test]
fn a_tail_without_an_account_is_tampering_once_the_log_goes_on() {
    let (mut log, _) = torn(TAIL);
    log.open_segment();
    log.log_opened();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["line_unterminated"]);
}

#[test]
fn an_account_of_nothing_is_tampering() {
    let (log, account) = torn(b"");
    let log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_without_tail"]);
    let (log, account) = torn(b"");
    let beyond = Account { offset: account.offset + 5, bytes: 9, ..account };
    let log = resumed(log, &beyond);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_without_tail"]);
}

#[test]
fn an_account_of_another_segment_is_tampering() {
    let (mut log, account) = torn(b"");
    log.open_segment();
    log.event();
    let log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_mismatch"]);
}

#[test]
fn an_account_that_stands_twice_or_later_excuses_nothing() {
    let (mut log, account) = torn(TAIL);
    log.open_segment();
    log.record(&account.event());
    log.record(&account.event());
    log.log_opened();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["log_recovered_misplaced"]);

    let (mut log, account) = torn(TAIL);
    log.open_segment();
    log.log_opened();
    log.event();
    log.record(&account.event());
    let codes = codes(&log.files, Verdict::Tampered);
    assert_eq!(codes, ["line_unterminated", "log_recovered_misplaced"]);
}

#[test]
fn who_recovers_a_log_opens_it() {
    let (mut log, account) = torn(TAIL);
    log.open_segment();
    log.record(&account.event());
    log.event();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["log_opened_missing"]);
}

#[test]
fn the_limit_of_an_earlier_writer_is_not_that_of_one_whose_words_are_damaged() {
    let mut log = Builder::empty();
    log.open_segment();
    log.record(
        r#"{"event_type":"log_opened","writer":"x","flush_mode":"x","unsynced_max_bytes":9}"#,
    );
    log.close();
    log.open_segment();
    let opened_at = log.files[&log.file].len();
    log.log_opened();
    log.event();
    let (file, offset) = (log.file.clone(), log.files[&log.file].len());
    log.append(TAIL);
    let account = Account::of(&log, offset);
    let mut log = resumed(log, &account);
    assert_eq!(codes(&log.files, Verdict::Consistent), [""; 0]);
    log.files.get_mut(&file).unwrap()[opened_at + 30] ^= 1;
    assert_eq!(codes(&log.files, Verdict::Tampered), ["hash_mismatch"]);
}

#[test]
fn a_tail_once_accounted_for_is_never_parsed_again() {
    let (line, _) = Builder::line(9, r#"{"event_type":"segment_missing"}"#, Digest::ZERO);
    let tail = &line.as_bytes()[..line.len() - 1];
    let (log, account) = torn(tail);
    let report = verify(&resumed(log, &account).files);
    assert_eq!((report.verdict, report.findings_total), (Verdict::Consistent, 0), "{report}");
}

#[test]
fn an_account_from_the_middle_of_a_record_leaves_that_record_without_its_end() {
    let (log, account) = torn(TAIL);
    let account = Account::of(&log, account.offset - 10);
    let report = verify(&resumed(log, &account).files);
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["line_unterminated", "recovery_not_a_crash"], "{report}");
}
