//! The events of a real attack, where they are at hand: they are not part of the project.

#![expect(clippy::print_stdout, reason = "a test says why it was skipped")]

use std::fs;
use std::path::Path;

use audit_core::TextPolicy;
use audit_validate::decode_line;

use crate::sample::is_opaque;

#[test]
fn the_events_of_a_real_attack_pass_as_they_are() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(lines) = fs::read_to_string(data.join("openssh.events.jsonl")) else {
        println!("skipped: there are no events of a real attack here");
        return;
    };
    let mut critical = 0;
    for line in lines.lines() {
        let decoded = decode_line(line.as_bytes(), TextPolicy::Reject);
        let decoded = decoded.unwrap_or_else(|refusal| panic!("{refusal}: {line}"));
        assert!(decoded.sanitized.is_empty(), "{line}");
        assert!(!is_opaque(&decoded.event), "{line}");
        assert_eq!(serde_json::to_string(&decoded.event).unwrap(), line);
        critical += u32::from(decoded.event.is_critical());
        assert_eq!(decode_line(line.as_bytes(), TextPolicy::Neutralise), Ok(decoded));
    }
    assert_eq!((lines.lines().count(), critical), (1_044, 620));
}
