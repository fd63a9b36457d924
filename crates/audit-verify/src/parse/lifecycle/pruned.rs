//! What a deletion by retention says of itself.

use audit_core::Digest;
use audit_core::limits::PRUNED_FILES_MAX;
use serde::Deserialize;

use super::form::{Hex, Name, Object, Time, digests, present, present_object};
use crate::scan::SegmentName;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentsPruned {
    first_seq: u64,
    pub(crate) last_seq: u64,
    last_hash: Hex,
    merkle_frontier: Vec<Hex>,
    files: Vec<Object<PrunedFile>>,
    #[expect(dead_code, reason = "only its form is checked")]
    reason: String,
    #[serde(default, deserialize_with = "present_object")]
    after: Option<PrunedEnd>,
    #[serde(default, deserialize_with = "present")]
    before: Option<Time>,
}

#[derive(Clone, Debug, Deserialize)]
struct PrunedFile {
    name: Name,
    #[expect(dead_code, reason = "the file is gone, so only the form is checked")]
    size: u64,
    #[expect(dead_code, reason = "the file is gone, so only the form is checked")]
    sha256: Hex,
    #[serde(default, deserialize_with = "present")]
    last_seq: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
struct PrunedEnd {
    last_seq: u64,
    last_hash: Hex,
}

impl SegmentsPruned {
    pub(super) fn checked(self) -> Result<Self, String> {
        if self.first_seq != 0 {
            return Err("first_seq is always 0".to_owned());
        }
        if self.files.len() > PRUNED_FILES_MAX {
            return Err(format!("there are more than {PRUNED_FILES_MAX} files"));
        }
        Ok(self)
    }

    pub(crate) const fn last_hash(&self) -> Digest {
        self.last_hash.0
    }

    pub(crate) fn frontier(&self) -> Vec<Digest> {
        digests(&self.merkle_frontier)
    }

    pub(crate) fn names(&self, segment: SegmentName) -> bool {
        self.files.iter().any(|file| file.0.name.0 == segment)
    }

    /// Whether it is to account for every record that it deletes. Older writers' did not.
    pub(crate) const fn is_exact(&self) -> bool {
        self.before.is_some()
    }

    /// Seq and hash of the last record that the deletion before took.
    pub(crate) fn after(&self) -> Option<(u64, Digest)> {
        self.after.as_ref().map(|end| (end.last_seq, end.last_hash.0))
    }

    /// Whether its files reach without a gap from what was deleted before to the last record.
    pub(crate) fn is_without_gap(&self) -> bool {
        let begin = self.after.as_ref().map_or(0, |end| end.last_seq.saturating_add(1));
        let end = self.files.iter().try_fold(begin, |due, Object(file)| {
            let last_seq = file.last_seq.filter(|&last| last >= due)?;
            (file.name.0.first_seq == due).then_some(last_seq)?.checked_add(1)
        });
        end.is_some_and(|end| end > begin && end.checked_sub(1) == Some(self.last_seq))
    }
}
