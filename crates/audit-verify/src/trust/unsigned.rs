//! How much of the end of a log may be without a checkpoint by a given key.

use super::claims::secs_of;
use super::conclude::End;
use super::{Trust, time_of};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger};

/// How much of the end may be without a checkpoint by a given key: what a log that is signed at
/// intervals has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsignedLimit {
    /// So many records.
    Records(u64),
    /// Records that are no older, and no further in the future, than so many seconds: told by the
    /// first of them and [`now_secs`](crate::VerifyOptions::now_secs).
    Secs(u64),
}

/// The records at the end that no checkpoint by a given key covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsigned {
    pub(super) records: u64,
    /// How many records the newest such checkpoint covers.
    pub(super) signed_size: u64,
}

impl Trust {
    /// Says what of the end is without a signature, where that is more than is allowed.
    pub(super) fn limit(&self, unsigned: Unsigned, end: End<'_>, ledger: &mut Ledger) {
        let limit = broken::unless(Broken::UnsignedUnlimited, self.max_unsigned);
        let (Some(limit), 1..) = (limit, unsigned.records) else { return };
        let Unsigned { records, signed_size } = unsigned;
        let finding = Finding::new(Code::UnsignedEnd, Code::UnsignedEnd.meaning()).seq(signed_size);
        match limit {
            UnsignedLimit::Records(most) if records > most => {
                let finding = finding.expected(format_args!("at most {most} records"));
                ledger.find(finding.found(format_args!("{records} records")));
            }
            UnsignedLimit::Records(_) => {}
            UnsignedLimit::Secs(most) => {
                let recorded = if signed_size == 0 {
                    end.first_timestamp.and_then(secs_of)
                } else {
                    self.claims.next_secs(signed_size)
                };
                let now = self.now_secs.and_then(|now| i64::try_from(now).ok());
                let age = recorded.zip(now).map(|(recorded, now)| now.abs_diff(recorded));
                if age.is_none_or(|age| age > most) {
                    let finding = finding.expected(format_args!("at most {most} s old"));
                    ledger.find(finding.found(in_words(recorded, records)));
                }
            }
        }
    }
}

fn in_words(recorded: Option<i64>, records: u64) -> String {
    let time = recorded.and_then(|secs| u64::try_from(secs).ok()).map(time_of);
    let time = time.map_or_else(|| "an unknown time".to_owned(), |time| time.to_string());
    format!("{records} records, the first of {time}")
}
