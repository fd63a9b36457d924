//! Whose log it has to be.

use std::collections::BTreeSet;
use std::fmt::Display;

use audit_core::lifecycle::LogId;

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger};

/// What the log has to be called. Where several logs share a policy or a key, or only lie in one
/// place, nothing else tells one in the place of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The origin of the checkpoints that vouch for it, which is the name of its key.
    pub origin: Option<String>,
    /// The service in its records.
    pub service_id: Option<String>,
    /// Its identity.
    pub log_id: Option<LogId>,
}

/// What a log shows of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown<'l> {
    pub(crate) service_id: Option<&'l str>,
    pub(crate) log_id: Option<LogId>,
}

impl Identity {
    /// Compares what is demanded with what the log says, and with the origins under which what is
    /// trusted was found to hold.
    pub(super) fn check(&self, shown: Shown<'_>, origins: &BTreeSet<String>, ledger: &mut Ledger) {
        compare("service", self.service_id.as_ref(), shown.service_id, ledger);
        compare("log id", self.log_id.as_ref(), shown.log_id, ledger);
        match &self.origin {
            // An origin belongs to one log, so one of these is another's.
            None if origins.len() > 1 && !broken::is(Broken::TwoOrigins) => {
                let origins: Vec<_> = origins.iter().map(String::as_str).collect();
                let finding = finding(Code::IdentityMismatch).expected("one origin");
                ledger.find(finding.found(origins.join(", ")));
            }
            None => {}
            Some(due) => {
                let other = origins.iter().find(|origin| *origin != due);
                let shown = other.or_else(|| origins.get(due)).map(String::as_str);
                compare("origin", Some(due), shown, ledger);
            }
        }
    }
}

/// Compares what is demanded with what is there: that it is another shows that the records are those
/// of another log, as a head does that they do not hold. What nothing shows cannot be decided.
fn compare<D: Display + PartialEq<S>, S: Display>(
    what: &str,
    due: Option<&D>,
    shown: Option<S>,
    ledger: &mut Ledger,
) {
    match (due, shown) {
        (Some(due), Some(shown)) if *due != shown && !broken::is(Broken::IdentityUncompared) => {
            let finding = finding(Code::IdentityMismatch).expected(format_args!("{what} {due}"));
            ledger.find(finding.found(format_args!("{what} {shown}")));
        }
        (Some(due), None) => {
            ledger.find(finding(Code::IdentityNotShown).expected(format_args!("{what} {due}")));
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
}

fn finding(code: Code) -> Finding {
    Finding::new(code, code.meaning())
}
