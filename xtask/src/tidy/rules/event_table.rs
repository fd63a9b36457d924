//! The table of events is the only place that matches on their variants.
//!
//! A new event is then one row, and nothing can be forgotten.

use crate::tidy::rust_file::RustFile;
use crate::tidy::search::{bracketed_len, from, leading_word};
use crate::tidy::violation::Violation;

const RULE: &str = "event-table";

const TABLE: &str = "crates/audit-core/src/event/";

const VARIANT_OF: &str = "AuditEvent::";

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    if rust.file.path.starts_with(TABLE) {
        return Vec::new();
    }
    let named = rust.code.match_indices(VARIANT_OF);
    let arms = named.filter(|(at, found)| is_arm(from(&rust.code, at.saturating_add(found.len()))));
    let message = "a match on event variants outside of the table; add a column to the table in \
                   audit-core and call that";
    arms.map(|(at, _)| rust.violation(at, RULE, message)).collect()
}

/// Whether the pattern of this variant is followed by an arrow, a guard or another pattern.
fn is_arm(variant: &str) -> bool {
    let name = leading_word(variant);
    let fields = from(variant, name.len()).trim_start();
    let rest = from(fields, bracketed_len(fields).unwrap_or(0)).trim_start();
    let is_pattern = rest.starts_with("=>") || rest.starts_with('|') || leading_word(rest) == "if";
    !name.is_empty() && is_pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;
    use crate::tidy::violation::lines;

    const PATH: &str = "crates/audit-cli/src/show.rs";

    #[test]
    fn arms_of_every_shape_are_found() {
        let code = "match event {
            AuditEvent::Unit => 1,
            AuditEvent::Named { field, .. } => 2,
            AuditEvent::Tuple(Some(x)) if x > 0 => 3,
            AuditEvent::Split {
                field: { 1 },
            }
            | AuditEvent::Last => 4,
        }";
        assert_eq!(lines(&judge(check, PATH, code)), [2, 3, 4, 5, 8]);
    }

    #[test]
    fn making_an_event_and_naming_one_in_a_comment_pass() {
        let code = "// AuditEvent::Unit => 1\nlet a = AuditEvent::Named { field: 1 };\n\
                    f(AuditEvent::Unit, |x| x); AuditEvent::from_name(b);\n";
        assert!(judge(check, PATH, code).is_empty());
    }

    #[test]
    fn the_table_itself_may_match() {
        let code = "match event { AuditEvent::Unit => 1 }";
        assert!(judge(check, "crates/audit-core/src/event/table.rs", code).is_empty());
        assert_eq!(judge(check, "crates/audit-core/src/record.rs", code).len(), 1);
    }
}
