//! What a log says of its own checkpoints and keys.

use super::Checker;
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Notice, NoticeCode, Place};
use crate::parse::lifecycle::{CheckpointSigned, KeyChanged};
use crate::trust::{Change, Following, base64};

impl Checker {
    /// Compares what the log says of a checkpoint with the records that this one covers.
    pub(super) fn check_signed(&mut self, signed: &CheckpointSigned, seq: u64) -> Option<Finding> {
        let (size, stated) = (signed.size, signed.root());
        let finding =
            Finding::new(Code::CheckpointRecordFalse, Code::CheckpointRecordFalse.meaning());
        if size > seq {
            let expected = format!("at most {seq} records");
            return Some(finding.expected(expected).found(format_args!("{size} records")));
        }
        let recent = self.chain().root_at(size);
        let trust = &mut self.state.trust;
        match recent.or_else(|| trust.claims.root_at(size)) {
            Some(root) if root != stated && !broken::is(Broken::RecordedFalse) => {
                return Some(finding.expected(base64(root)).found(base64(stated)));
            }
            Some(_) => {}
            None => trust.recorded.uncompared = trust.recorded.uncompared.saturating_add(1),
        }
        trust.recorded.add(size, &signed.key_id);
        if trust.keys.has_outlived(&signed.key_id, size) && !broken::is(Broken::OldKeyRecorded) {
            let code = Code::CheckpointByReplacedKey;
            return Some(Finding::new(code, code.meaning()).found(&signed.key_id));
        }
        None
    }

    /// Follows a change of the key, where a trusted key vouches for it.
    pub(super) fn check_key_changed(&mut self, changed: &KeyChanged, seq: u64, place: Place<'_>) {
        let Some(log_id) = self.state.log_id else { return };
        let log_id = log_id.0.to_string();
        let change = Change { changed, log_id: &log_id, seq };
        let code = match self.state.trust.keys.follow(change) {
            Following::Followed | Following::NoKeys => return,
            Following::Unknown => {
                let message = "the log goes on with another key, and no given key vouches for it";
                let notice = Notice::new(NoticeCode::KeyChangeNotFollowed, message);
                return self.ledger.note(notice.at(place, seq));
            }
            Following::False => Code::KeyChangeFalse,
            Following::Renamed if broken::is(Broken::KeyRenamed) => return,
            Following::Renamed => Code::KeyNameChanged,
            Following::Replaced => Code::KeyChangeByReplacedKey,
        };
        let finding = Finding::new(code, code.meaning()).at(place).seq(seq);
        self.ledger.find(finding.found(&changed.new_vkey));
    }
}
