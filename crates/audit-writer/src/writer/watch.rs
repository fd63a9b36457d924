//! The writer's own file, watched: whether it is where and as the writer left it.
//!
//! Looked at after every sync and before anybody is told that a record is durable: a record in a
//! file that has no name any more is not.

use audit_core::lifecycle::{LifecycleEvent, MissingReason, PreviousSegment};
use audit_core::{RecordTime, ServiceId};

use super::durable::Pending;
use super::lines::length;
use super::{AuditFileWriter, Current, Log};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::store::{Link, Sight, Store};

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Looks at the current segment, and leaves it when somebody else has touched it.
    ///
    /// # Errors
    ///
    /// [`WriteError::SegmentMissing`]: the chain goes on in a new segment, which says so.
    pub(super) fn watch(&mut self) -> Result<(), WriteError> {
        let Some(current) = &self.current else { return Ok(()) };
        let written = current.bytes.saturating_sub(length(self.unfinished.len()));
        let sight = self.store.look(&current.file_name, &current.file);
        let Sight { bytes, link } =
            sight.map_err(|error| self.poison("look at the segment", error))?;
        let reason = match link {
            Link::Gone => MissingReason::Unlinked,
            Link::Other => MissingReason::Replaced,
            Link::Same if bytes != written => MissingReason::SizeChanged,
            Link::Same => return Ok(()),
        };
        Err(self.leave_segment(reason))
    }

    /// Goes on in a new segment after one that is not to be relied on. The new one is made at once,
    /// so that what was found is durable; where that fails, it is made before the next record.
    fn leave_segment(&mut self, reason: MissingReason) -> WriteError {
        let (Some(current), Some(head)) = (self.current.take(), self.chain.head()) else {
            return WriteError::SegmentMissing { file: String::new(), reason };
        };
        let Current { file, name, file_name, .. } = current;
        let (last_seq, last_hash) = (head.seq, head.hash);
        self.accounts.push(LifecycleEvent::SegmentMissing {
            file: file_name.clone(),
            first_seq: name.first_seq,
            last_seq,
            last_hash,
            reason,
            text: None,
        });
        let previous = PreviousSegment { file: file_name.clone(), last_seq, last_hash };
        self.previous = Some((previous, file));
        self.pending = Pending::default();
        self.unfinished.clear();
        let Some(Log { service_id, .. }) = self.log else {
            return WriteError::SegmentMissing { file: file_name, reason };
        };
        match self.begin_now(service_id) {
            Err(fault @ WriteError::Poisoned { .. }) => fault,
            Ok(()) | Err(_) => WriteError::SegmentMissing { file: file_name, reason },
        }
    }

    fn begin_now(&mut self, service_id: ServiceId) -> Result<(), WriteError> {
        let now = RecordTime::new(self.clock.now());
        self.open_segment(service_id, now)
    }
}
