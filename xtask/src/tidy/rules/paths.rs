//! Paths of the standard library that only some places may name.
//!
//! Pure crates can be tested without a machine; one place that reads the clock and few that start
//! threads make tests deterministic and shutdown something to reason about.

use crate::tidy::imports::{Import, split_off};
use crate::tidy::rust_file::RustFile;
use crate::tidy::search::{has_word, words};
use crate::tidy::violation::Violation;

const RULE: &str = "paths";

/// Some paths, the places that may not name them, and what to do there instead.
struct Ban {
    paths: &'static [&'static str],
    applies: fn(&RustFile<'_>, usize) -> bool,
    instead: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        paths: &["std::fs", "std::thread", "SystemTime", "Instant::now", "Utc::now"],
        applies: is_pure,
        instead: "this crate has no files, threads or clock; let the caller pass it in",
    },
    Ban {
        paths: &["std::net"],
        applies: is_pure,
        instead: "this crate has no network; take an address, which is a value, from core::net",
    },
    Ban {
        paths: &["SystemTime::now", "Utc::now", "Local::now"],
        applies: |rust, at| rust.is_production(at) && is_outside(rust, &READS_CLOCK),
        instead: "the clock is read in audit-writer's clock.rs only; take the time from there",
    },
    Ban {
        paths: &["thread::spawn", "thread::Builder", "thread::scope"],
        applies: |rust, at| rust.is_production(at) && is_outside(rust, &STARTS_THREADS),
        instead: "only the workers, the outbox of checkpoints and the verifier's pool start threads; give them the work",
    },
    Ban {
        paths: &["unsafe"],
        applies: |rust, _| is_outside(rust, &SAYS_UNSAFE),
        instead: "only audit-testkit has unsafe code; use what rustix or std offer",
    },
];

const PURE: [&str; 3] = ["audit-core", "audit-validate", "audit-checkpoint"];

/// Beginnings of paths, as in the list after it.
const READS_CLOCK: [&str; 3] =
    ["crates/audit-writer/src/clock.rs", "crates/audit-testkit/", "xtask/"];

const STARTS_THREADS: [&str; 6] = [
    "crates/audit-writer/src/outbox.rs",
    "crates/audit-writer/src/worker",
    "crates/audit-verify/src/pool.rs",
    "crates/audit-log/src/worker",
    "crates/audit-testkit/",
    "xtask/",
];

/// The second holds no unsafe code, which the compiler forbids there: a macro wants the word.
const SAYS_UNSAFE: [&str; 2] = ["crates/audit-testkit/", "crates/audit-writer/src/at_exit.rs"];

fn is_pure(rust: &RustFile<'_>, at: usize) -> bool {
    rust.is_production(at) && PURE.contains(&rust.package())
}

fn is_outside(rust: &RustFile<'_>, places: &[&str]) -> bool {
    !places.iter().any(|place| rust.file.path.starts_with(place))
}

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    let (imports, remainder) = split_off(&rust.code);
    let banned = BANS.iter().flat_map(|ban| ban.paths.iter().map(move |path| (ban, *path)));
    let mut violations = Vec::new();
    for (ban, path) in banned {
        let named = mentions(path, &imports, &remainder).filter(|&at| (ban.applies)(rust, at));
        let message = format!("`{path}`: {}", ban.instead);
        violations.extend(named.map(|at| rust.violation(at, RULE, message.as_str())));
    }
    violations
}

/// Where a path is named, be it in full or through the braces of a `use`.
fn mentions<'a>(
    path: &'a str,
    imports: &'a [Import],
    remainder: &'a str,
) -> impl Iterator<Item = usize> + 'a {
    let importing = imports
        .iter()
        .filter(move |import| import.paths.iter().any(|imported| has_word(imported, path)));
    importing.map(|import| import.at).chain(words(remainder, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;
    use crate::tidy::violation::lines;

    const CORE: &str = "crates/audit-core/src/a.rs";
    const CLI: &str = "crates/audit-cli/src/a.rs";

    #[test]
    fn a_pure_crate_that_touches_the_machine_is_found() {
        let code = "use std::fs;\nuse std::{io, net::TcpStream};\nfn f() {\n std::thread::yield_now();\n\
                    Instant::now();\n}\nuse std::time::SystemTime;\n";
        let mut found = lines(&judge(check, CORE, code));
        found.sort_unstable();
        assert_eq!(found, [1, 2, 4, 5, 7]);
        assert!(judge(check, CLI, code).is_empty());
    }

    #[test]
    fn a_second_reader_of_the_clock_is_found() {
        let code = "fn f() { chrono::Utc::now(); }\nfn g() { std::time::SystemTime::now(); }";
        assert_eq!(lines(&judge(check, CLI, code)), [2, 1]);
        assert_eq!(judge(check, "crates/audit-writer/src/flush.rs", code).len(), 2);
        for path in ["crates/audit-writer/src/clock.rs", "xtask/src/a.rs", "crates/a/benches/b.rs"]
        {
            assert!(judge(check, path, code).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_thread_started_elsewhere_is_found() {
        let code =
            "use std::thread;\nfn f() { thread::spawn(g); }\nuse std::thread::{Builder, scope};\n";
        let mut found = lines(&judge(check, "crates/audit-writer/src/flush.rs", code));
        found.sort_unstable();
        assert_eq!(found, [2, 3, 3]);
        for path in [
            "crates/audit-writer/src/worker.rs",
            "crates/audit-writer/src/worker/start.rs",
            "crates/audit-verify/src/pool.rs",
            "crates/audit-verify/tests/pool.rs",
        ] {
            assert!(judge(check, path, code).is_empty(), "{path}");
        }
    }

    #[test]
    fn unsafe_code_is_found_even_in_tests() {
        let code = "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }";
        assert_eq!(judge(check, CORE, code).len(), 1);
        assert!(judge(check, "crates/audit-testkit/src/a.rs", code).is_empty());
        assert!(judge(check, CORE, "#![forbid(unsafe_code)] // not unsafe").is_empty());
    }

    #[test]
    fn tests_of_a_pure_crate_may_touch_the_machine() {
        assert!(judge(check, CORE, "#[cfg(test)] mod tests { use std::fs; }").is_empty());
        assert!(judge(check, "crates/audit-core/tests/a.rs", "use std::fs;").is_empty());
        assert!(
            judge(check, CORE, "//! `std::fs` is not used.\nuse core::net::IpAddr;").is_empty()
        );
    }
}
