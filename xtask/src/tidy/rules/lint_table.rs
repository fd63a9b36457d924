//! Every member inherits the lint table, so that no crate quietly has its own.
//!
//! The test kit is the one crate with unsafe code, and a forbidden lint cannot be expected. It has
//! a copy of the table in which `unsafe_code` is denied; the rule compares the two.

use std::collections::BTreeSet;

use crate::tidy::file::File;
use crate::tidy::violation::Violation;

const RULE: &str = "lint-table";

const WITH_UNSAFE_CODE: &str = "audit-testkit";

pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let root = files.iter().find(|file| file.path == "Cargo.toml");
    let root_settings = root.map(|root| settings(&root.text)).unwrap_or_default();
    let table = lints("workspace.lints.", &root_settings);
    let members = files.iter().filter(|file| file.is_manifest() && is_member(file));
    members.filter_map(|member| check_member(member, &table)).collect()
}

/// A manifest with a `[workspace]` of its own cannot inherit ours.
fn is_member(file: &File) -> bool {
    let has = |header| file.text.lines().any(|line| line.trim() == header);
    has("[package]") && !has("[workspace]")
}

fn check_member(member: &File, table: &BTreeSet<Setting>) -> Option<Violation> {
    let settings = settings(&member.text);
    if settings.iter().any(|setting| setting.0 == "lints.workspace" && setting.1 == "true") {
        return None;
    }
    let message = if member.package() == WITH_UNSAFE_CODE {
        let own = lints("lints.", &settings);
        let difference = own.symmetric_difference(&with_unsafe_denied(table)).next()?.0.clone();
        format!("`{difference}` is not as in the workspace's table; copy the table exactly")
    } else {
        "the lint table is not inherited; add `[lints]` with `workspace = true`".to_owned()
    };
    Some(Violation::new(&member.path, 1, RULE, message))
}

/// A key with its sections, joined by dots, and the value as it is written.
type Setting = (String, String);

fn settings(manifest: &str) -> Vec<Setting> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{header}.");
        } else if let Some((key, value)) = line.split_once('=') {
            settings.push((format!("{section}{}", key.trim()), value.trim().to_owned()));
        }
    }
    settings
}

/// The settings below a section, named from there.
fn lints(section: &str, settings: &[Setting]) -> BTreeSet<Setting> {
    let below = settings
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(section)?.to_owned(), value.clone())));
    below.collect()
}

fn with_unsafe_denied(table: &BTreeSet<Setting>) -> BTreeSet<Setting> {
    let denied = table.iter().map(|(key, value)| match key.as_str() {
        "rust.unsafe_code" => (key.clone(), "\"deny\"".to_owned()),
        _ => (key.clone(), value.clone()),
    });
    denied.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"forbid\" # why\n\
                        [workspace.lints.clippy]\nall = \"deny\"\n";

    fn judge(package: &str, manifest: &str) -> Vec<String> {
        let member = File::new(format!("crates/{package}/Cargo.toml"), manifest);
        check(&[File::new("Cargo.toml", ROOT), member]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_member_without_the_table_is_found() {
        for lints in ["", "[lints]\n", "[lints]\nworkspace = false\n", "[lints.rust]\na = 1\n"] {
            let found = judge("audit-core", &format!("[package]\n{lints}"));
            assert!(found[0].contains("audit-core/Cargo.toml:1: lint-table: the lint"), "{lints}");
        }
        assert_eq!(judge("audit-core", "[package]\n[dependencies]\nworkspace = true\n").len(), 1);
    }

    #[test]
    fn inheriting_it_in_either_spelling_passes() {
        assert!(judge("audit-core", "[package]\n\n[lints]\nworkspace = true\n").is_empty());
        assert!(judge("audit-core", "lints.workspace = true\n[package]\n").is_empty());
        assert!(judge("fuzz", "[package]\n[workspace]\n").is_empty());
    }

    #[test]
    fn the_test_kit_copies_all_of_it_but_unsafe_code() {
        let copy =
            "[package]\n[lints.rust]\nunsafe_code = \"deny\"\n[lints.clippy]\nall = \"deny\"\n";
        assert!(judge("audit-testkit", copy).is_empty());
        let lenient = copy.replace("all = \"deny\"", "all = \"warn\"");
        assert!(judge("audit-testkit", &lenient)[0].contains("`clippy.all` is not as in"));
        assert_eq!(judge("audit-core", copy).len(), 1);
    }
}
