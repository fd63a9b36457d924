//! Who may depend on whom: an allow-list of the arrows between our crates.
//!
//! What is not in the table is not allowed, so a new crate has to be put there, and a new arrow
//! shows up as a change of this file.

use crate::tidy::file::File;
use crate::tidy::packages::{Dependency, Kind, Package};
use crate::tidy::rust_file::is_library;
use crate::tidy::violation::Violation;

const RULE: &str = "arrows";

/// What one of our crates may use of the others.
struct Arrows {
    package: &'static str,
    uses: &'static [&'static str],
    /// What its tests may use besides. The verifier's tests get their logs from the test kit or
    /// from files: a writer's bug must not approve itself.
    tests_use: &'static [&'static str],
}

const ARROWS: [Arrows; 9] = [
    Arrows { package: "audit-core", uses: &[], tests_use: &["audit-testkit"] },
    Arrows { package: "audit-validate", uses: &["audit-core"], tests_use: &["audit-testkit"] },
    Arrows { package: "audit-checkpoint", uses: &["audit-core"], tests_use: &["audit-testkit"] },
    Arrows {
        package: "audit-writer",
        uses: &["audit-core", "audit-checkpoint"],
        tests_use: &["audit-testkit", "audit-verify"],
    },
    Arrows {
        package: "audit-verify",
        uses: &["audit-core", "audit-checkpoint"],
        tests_use: &["audit-testkit"],
    },
    Arrows {
        package: "audit-log",
        uses: &["audit-core", "audit-validate", "audit-writer", "audit-checkpoint"],
        tests_use: &["audit-testkit", "audit-verify"],
    },
    Arrows {
        package: "audit-log-cli",
        uses: &["audit-log", "audit-core", "audit-validate", "audit-verify", "audit-checkpoint"],
        tests_use: &["audit-testkit"],
    },
    // Not the writer: the verifier's tests use this one.
    Arrows { package: "audit-testkit", uses: &["audit-core"], tests_use: &[] },
    Arrows { package: "xtask", uses: &[], tests_use: &[] },
];

/// A library leaves the choice of these to the program: a failure goes to the caller as a value.
const RUNTIMES_AND_LOGGERS: [&str; 10] = [
    "tokio",
    "async-std",
    "smol",
    "futures-executor",
    "log",
    "tracing",
    "env_logger",
    "slog",
    "metrics",
    "signal-hook",
];

/// Who may have which of them behind a feature that is off by default: the facade alone, since it
/// is where a service chooses.
const INTEGRATIONS: [(&str, &str); 3] =
    [("audit-log", "metrics"), ("audit-log", "signal-hook"), ("audit-log", "tracing")];

pub(crate) fn check(packages: &[Package], files: &[File]) -> Vec<Violation> {
    packages.iter().flat_map(|package| check_package(package, packages, files)).collect()
}

fn check_package(package: &Package, ours: &[Package], files: &[File]) -> Vec<Violation> {
    let Some(arrows) = ARROWS.iter().find(|arrows| arrows.package == package.name) else {
        let message =
            format!("no arrows for {}; add a row to the table in arrows.rs", package.name);
        return vec![Violation::new(&package.manifest, 1, RULE, message)];
    };
    let is_ours = |name: &str| ours.iter().any(|package| package.name == name);
    let complaints = package.dependencies.iter().filter_map(|dependency| {
        let message = if is_ours(&dependency.name) {
            complain_about_arrow(arrows, dependency)
        } else {
            complain_about_foreign(arrows, dependency)
        }?;
        let line = line_naming(&dependency.name, &package.manifest, files);
        Some(Violation::new(&package.manifest, line, RULE, message))
    });
    complaints.collect()
}

fn complain_about_arrow(from: &Arrows, to: &Dependency) -> Option<String> {
    let name = to.name.as_str();
    let is_allowed = match to.kind {
        Kind::Normal => from.uses.contains(&name),
        Kind::Dev => from.uses.contains(&name) || from.tests_use.contains(&name),
    };
    let whose = match to.kind {
        Kind::Normal => "",
        Kind::Dev => "the tests of ",
    };
    (!is_allowed).then(|| {
        let user = from.package;
        format!(
            "{whose}{user} may not use {name}; move what is shared to a crate that both may use"
        )
    })
}

fn complain_about_foreign(from: &Arrows, to: &Dependency) -> Option<String> {
    let is_banned = is_library(from.package)
        && to.kind == Kind::Normal
        && !(to.is_optional && INTEGRATIONS.contains(&(from.package, to.name.as_str())))
        && RUNTIMES_AND_LOGGERS.contains(&to.name.as_str());
    is_banned.then(|| {
        let (user, name) = (from.package, &to.name);
        format!("the library {user} needs {name}; return a value instead")
    })
}

/// The line of the manifest that starts with the name, or the first.
fn line_naming(name: &str, manifest: &str, files: &[File]) -> usize {
    let text = files.iter().find(|file| file.path == manifest).map_or("", |file| &file.text);
    let numbered = (1..).zip(text.lines());
    let mut naming = numbered.filter(|(_, line)| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    });
    naming.next().map_or(1, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::packages::parse;
    use serde_json::{Value, json};

    /// Judges a workspace of one crate of interest among all of ours.
    fn judge(package: &str, dependencies: &Value) -> Vec<String> {
        let one = |name: &str, dependencies: &Value| {
            json!({
                "name": name,
                "manifest_path": format!("/w/crates/{name}/Cargo.toml"),
                "dependencies": dependencies,
            })
        };
        let mut all: Vec<Value> = vec![one(package, dependencies)];
        let others = ARROWS.iter().map(|arrows| arrows.package).filter(|name| *name != package);
        all.extend(others.map(|name| one(name, &json!([]))));
        let packages = parse(&json!({ "workspace_root": "/w", "packages": all })).unwrap();
        let manifest = format!("crates/{package}/Cargo.toml");
        let files = [File::new(manifest, "[dependencies]\nx = 1\naudit-writer.workspace = true\n")];
        check(&packages, &files).iter().map(ToString::to_string).collect()
    }

    fn normal(name: &str) -> Value {
        json!({ "name": name, "kind": null, "optional": false })
    }

    fn dev(name: &str) -> Value {
        json!({ "name": name, "kind": "dev", "optional": false })
    }

    #[test]
    fn the_verifier_may_not_use_the_writer() {
        let found = judge("audit-verify", &json!([normal("audit-writer")]));
        assert_eq!(
            found,
            ["crates/audit-verify/Cargo.toml:3: arrows: audit-verify may not use audit-writer; \
              move what is shared to a crate that both may use"]
        );
    }

    #[test]
    fn the_verifiers_tests_may_not_use_what_they_check() {
        for name in ["audit-writer", "audit-validate", "audit-log"] {
            let found = judge("audit-verify", &json!([dev(name)]));
            assert_eq!(found.len(), 1, "{name}");
            assert!(found[0].contains("the tests of audit-verify may not use"), "{found:?}");
        }
    }

    #[test]
    fn the_core_uses_nothing_of_ours() {
        assert_eq!(judge("audit-core", &json!([normal("audit-validate")])).len(), 1);
        assert_eq!(judge("audit-core", &json!([dev("audit-validate")])).len(), 1);
    }

    #[test]
    fn the_test_kit_is_for_tests_and_brings_no_writer_to_the_verifiers() {
        let ours = ARROWS.iter().map(|arrows| arrows.package);
        for package in ours.filter(|name| !["audit-testkit", "xtask"].contains(name)) {
            assert_eq!(judge(package, &json!([normal("audit-testkit")])).len(), 1, "{package}");
            assert!(judge(package, &json!([dev("audit-testkit")])).is_empty(), "{package}");
        }
        assert_eq!(judge("xtask", &json!([dev("audit-testkit")])).len(), 1);
        assert_eq!(judge("audit-testkit", &json!([normal("audit-writer")])).len(), 1);
    }

    #[test]
    fn an_unknown_crate_has_to_be_put_in_the_table() {
        let found = judge("audit-new", &json!([]));
        assert!(found[0].contains("no arrows for audit-new"), "{found:?}");
    }

    #[test]
    fn a_library_leaves_runtimes_and_loggers_to_the_program() {
        for name in RUNTIMES_AND_LOGGERS {
            assert_eq!(judge("audit-log", &json!([normal(name)])).len(), 1, "{name}");
        }
        let optional = |name| json!([{ "name": name, "kind": null, "optional": true }]);
        for (package, name) in INTEGRATIONS {
            assert!(judge(package, &optional(name)).is_empty(), "{name}");
        }
        assert_eq!(judge("audit-log", &optional("tokio")).len(), 1);
        assert_eq!(judge("audit-writer", &optional("tracing")).len(), 1);
        assert!(judge("audit-log", &json!([dev("tokio")])).is_empty());
        assert!(judge("audit-log-cli", &json!([normal("tokio")])).is_empty());
    }

    #[test]
    fn every_arrow_of_the_table_passes() {
        for arrows in ARROWS {
            let uses = arrows.uses.iter().map(|name| normal(name));
            let tests_use = arrows.tests_use.iter().map(|name| dev(name));
            let all = Value::Array(uses.chain(tests_use).chain([normal("serde")]).collect());
            assert!(judge(arrows.package, &all).is_empty(), "{}", arrows.package);
        }
    }
}
