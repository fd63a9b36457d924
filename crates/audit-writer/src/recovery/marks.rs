//! The `sanitized` member of a record: which values of its event were neutralised or shortened.

use audit_core::limits::MARKS_MAX;

use super::json::{Text, texts};

/// Whether what follows an event is nothing, or such a member.
pub(super) fn is_sanitized(field: &[u8]) -> bool {
    if field.is_empty() {
        return true;
    }
    let pointers = field.strip_prefix(br#","sanitized":"#).and_then(texts);
    let Some(pointers) = pointers else { return false };
    let mut pointers: Vec<_> = pointers.into_iter().map(Text::to_plain).collect();
    if let [whole] = pointers.as_slice() {
        return whole.is_empty() || is_pointer(whole);
    }
    pointers.sort_unstable();
    (1..=MARKS_MAX).contains(&pointers.len())
        && pointers.iter().all(|pointer| is_pointer(pointer))
        && pointers.array_windows().all(|[one, next]| one != next)
}

/// Whether a text is a JSON Pointer (RFC 6901) to something inside a value.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1);
    text.starts_with('/') && escapes.into_iter().all(|after| after.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &str) -> bool {
        is_sanitized(format!(",\"sanitized\":{list}").as_bytes())
    }

    #[test]
    fn pointers_are_unique_and_no_more_than_fit() {
        assert!(is_sanitized(b""));
        let many = |count| {
            let pointers: Vec<_> = (0..count).map(|number| format!("\"/{number}\"")).collect();
            format!("[{}]", pointers.join(","))
        };
        for right in [r#"["/a"]"#, r#"[""]"#, r#"["/a","/a/0","/~0~1"]"#, &many(MARKS_MAX)] {
            assert!(of(right), "{right}");
        }
        for wrong in [
            "[]",
            "[0]",
            "{}",
            r#""/a""#,
            r#"["a"]"#,
            r#"["","/a"]"#,
            r#"["",""]"#,
            r#"["/a","/a"]"#,
            r#"["/a","/\u0061"]"#,
            r#"["/~"]"#,
            r#"["/~2"]"#,
            r#"["/a", "/b"]"#,
            r#"["/a"],"x":0"#,
            &many(MARKS_MAX + 1),
        ] {
            assert!(!of(wrong), "{wrong}");
        }
        assert!(!is_sanitized(br#","marks":["/a"]"#));
        assert!(!is_sanitized(br#" ,"sanitized":["/a"]"#));
    }
}
