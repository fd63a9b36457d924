//! Records on their way to the worker: the payloads in one buffer, a header each.

use audit_core::RecordTime;
use audit_core::limits::BATCH_BYTES_MAX;
use audit_core::record::write_lifecycle_payload;

use crate::loss::LossTally;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// An event.
    Event {
        /// Its place in the order of acceptance, counted from 1.
        ticket: u64,
        /// Whether it may use the reserve of a full disk.
        critical: bool,
    },
    /// The declaration of events that were lost.
    Loss,
}

impl Content {
    fn is_event(self) -> bool {
        matches!(self, Self::Event { .. })
    }
}

#[derive(Clone, Copy, Debug)]
struct Header {
    content: Content,
    accepted: RecordTime,
    bytes: usize,
}

/// Frames in the order of their acceptance. Up to its capacity it allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    headers: Vec<Header>,
    payloads: Vec<u8>,
    /// Where the payload of the last header ends.
    end: usize,
    events: usize,
    /// What the declarations of losses declare, in their order.
    losses: Vec<LossTally>,
}

impl Frames {
    /// Room for the records that a flush mode lets wait, and for the bytes of a full batch.
    pub(crate) fn for_window(records: usize) -> Self {
        Self {
            headers: Vec::with_capacity(records),
            payloads: Vec::with_capacity(BATCH_BYTES_MAX),
            ..Self::default()
        }
    }

    /// Appends a frame, whose payload `encode` appends.
    pub(crate) fn push(
        &mut self,
        content: Content,
        accepted: RecordTime,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        // An encoder that panicked has left a part of a payload behind.
        self.payloads.truncate(self.end);
        encode(&mut self.payloads);
        let bytes = self.payloads.len().saturating_sub(self.end);
        self.headers.push(Header { content, accepted, bytes });
        self.end = self.payloads.len();
        self.events = self.events.saturating_add(usize::from(content.is_event()));
    }

    /// Appends the declaration of losses.
    pub(crate) fn push_loss(&mut self, now: RecordTime, tally: LossTally) {
        let event = tally.event();
        self.push(Content::Loss, now, |out| write_lifecycle_payload(out, &event));
        self.losses.push(tally);
    }

    /// What its declarations of losses declare.
    pub(crate) fn losses(&self) -> &[LossTally] {
        &self.losses
    }

    /// The frames: what each is, when it was accepted, and its payload.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Content, RecordTime, &[u8])> {
        let mut rest = self.payloads.as_slice();
        self.headers.iter().map(move |header| {
            let (payload, after) = rest.split_at_checked(header.bytes).unwrap_or((rest, &[]));
            rest = after;
            (header.content, header.accepted, payload)
        })
    }

    /// Takes away the first frames.
    pub(crate) fn drop_front(&mut self, count: usize) {
        if count >= self.headers.len() {
            self.clear();
            return;
        }
        let (mut bytes, mut events, mut losses) = (0_usize, 0_usize, 0_usize);
        for header in self.headers.drain(..count) {
            bytes = bytes.saturating_add(header.bytes);
            match header.content {
                Content::Event { .. } => events = events.saturating_add(1),
                Content::Loss => losses = losses.saturating_add(1),
            }
        }
        self.losses.drain(..losses.min(self.losses.len()));
        self.payloads.drain(..bytes);
        self.end = self.end.saturating_sub(bytes);
        self.events = self.events.saturating_sub(events);
    }

    /// Moves the critical events behind those in `to`; the others stay in their order.
    pub(crate) fn take_critical(&mut self, to: &mut Self) {
        let mut all = std::mem::take(self);
        self.losses = std::mem::take(&mut all.losses);
        for (content, accepted, payload) in all.iter() {
            let goes = matches!(content, Content::Event { critical: true, .. });
            let place = if goes { &mut *to } else { &mut *self };
            place.push(content, accepted, |out| out.extend_from_slice(payload));
        }
    }

    /// Takes away all frames.
    pub(crate) fn clear(&mut self) {
        self.headers.clear();
        self.payloads.clear();
        self.losses.clear();
        (self.end, self.events) = (0, 0);
    }

    /// Whether there is no frame.
    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// How many of them are events.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Bytes of all payloads.
    pub(crate) fn bytes(&self) -> usize {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use audit_core::lifecycle::LossReason;

    use super::*;
    use crate::loss::Loss;

    fn at(second: i64) -> RecordTime {
        RecordTime::new(chrono::DateTime::from_timestamp(second, 0).unwrap())
    }

    const fn event(ticket: u64) -> Content {
        Content::Event { ticket, critical: ticket == 3 }
    }

    const LOSS: Loss = Loss { reason: LossReason::QueueFull, critical: false, sha256: None };

    fn filled() -> Frames {
        let mut frames = Frames::default();
        frames.push(event(1), at(1), |out| out.extend_from_slice(b"one"));
        frames.push(Content::Loss, at(2), |out| out.extend_from_slice(b"lost"));
        frames.losses.push(LossTally::new(at(2), LOSS));
        frames.push(event(3), at(3), |out| out.extend_from_slice(b"three"));
        frames
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        let frames = filled();
        let all: Vec<_> = frames.iter().collect();
        assert_eq!(
            all,
            [
                (event(1), at(1), b"one".as_slice()),
                (Content::Loss, at(2), b"lost"),
                (event(3), at(3), b"three"),
            ]
        );
        assert_eq!((frames.events(), frames.bytes()), (2, 12));
    }

    #[test]
    fn the_rest_is_whole_when_the_front_is_dropped() {
        let mut frames = filled();
        frames.drop_front(1);
        assert_eq!(frames.losses().len(), 1);
        frames.drop_front(1);
        assert_eq!(frames.losses().len(), 0);
        assert_eq!(frames.iter().collect::<Vec<_>>(), [(event(3), at(3), b"three".as_slice())]);
        assert_eq!((frames.events(), frames.bytes()), (1, 5));
        frames.drop_front(7);
        assert!(frames.is_empty());
        assert_eq!((frames.events(), frames.bytes()), (0, 0));
    }

    #[test]
    fn critical_events_are_taken_out_and_the_others_stay_in_order() {
        let (mut frames, mut critical) = (filled(), filled());
        frames.push(event(4), at(4), |out| out.extend_from_slice(b"four"));
        frames.take_critical(&mut critical);
        let payloads = |frames: &Frames| {
            frames.iter().map(|(.., payload)| payload.to_vec()).collect::<Vec<_>>().join(&b' ')
        };
        assert_eq!(payloads(&frames), b"one lost four");
        assert_eq!(frames.losses().len(), 1);
        assert_eq!(payloads(&critical), b"one lost three three");
        assert_eq!((frames.events(), frames.bytes()), (2, 11));
    }

    #[test]
    fn an_encoder_that_panics_leaves_no_part_of_a_frame() {
        let mut frames = filled();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            frames.push(event(4), at(4), |out| {
                out.extend_from_slice(b"half");
                panic!("an encoder");
            });
        }));
        assert!(panicked.is_err());
        frames.push(event(5), at(5), |out| out.extend_from_slice(b"five"));
        let last = frames.iter().last();
        assert_eq!(last, Some((event(5), at(5), b"five".as_slice())));
        assert_eq!(frames.iter().count(), 4);
    }
}
