//! What is made by a program and committed all the same: the verifier's corpus and the published
//! schemas.
//!
//! The corpus is committed since old bytes have to be judged as they were for ever; a schema, so
//! that it can be read and linked. Either is made anew and compared, lest it drift from its maker.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::command::{Failure, Outcome, cargo, run, workspace_root};
use crate::output;

/// A directory of which every file is generated.
struct Generated {
    /// Where it is committed.
    committed: &'static str,
    /// Where its maker puts it, below `target/`.
    made: &'static str,
}

const CORPUS: Generated =
    Generated { committed: "crates/audit-verify/tests/fixtures", made: "fixtures" };
const SCHEMAS: Generated = Generated { committed: "docs/schema", made: "assets/schema" };

/// Puts what the makers make in the place of what is committed.
pub(crate) fn write() -> Outcome {
    make_all()?;
    for generated in [CORPUS, SCHEMAS] {
        let committed = workspace_root().join(generated.committed);
        remove(&committed)?;
        fs::rename(made(generated.made), &committed)
            .map_err(|error| cannot("write", &committed, &error))?;
    }
    Ok(())
}

/// Compares what the makers make with what is committed, byte by byte.
pub(crate) fn check() -> Outcome {
    make_all()?;
    let compare = |generated: Generated| {
        let committed = read_tree(&workspace_root().join(generated.committed))?;
        let made = read_tree(&made(generated.made))?;
        Ok(differences(generated.committed, &committed, &made))
    };
    let found = [compare(CORPUS)?, compare(SCHEMAS)?].concat();
    if found.is_empty() {
        return Ok(());
    }
    for difference in &found {
        output::say(difference);
    }
    Err(Failure::new(format_args!(
        "{} files are not what their maker makes; `cargo xtask fixtures` writes them anew, and git \
         shows what changed. A changed log of the corpus is a mistake: old bytes are kept",
        found.len()
    )))
}

/// Writes completions, manual pages and schemas to `target/assets/`.
pub(crate) fn assets() -> Outcome {
    let dir = made("assets");
    remove(&dir)?;
    let command = ["run", "--quiet", "--package", "audit-log-cli", "--features", "assets"];
    run(cargo(&command).args(["--bin", "audit", "--", "assets"]).arg(&dir))?;
    output::say(format_args!("completions, manual pages and schemas are in {}", dir.display()));
    Ok(())
}

fn make_all() -> Outcome {
    let corpus = made(CORPUS.made);
    remove(&corpus)?;
    let fixtures = ["run", "--quiet", "--package", "audit-verify", "--example", "fixtures", "--"];
    run(cargo(&fixtures).arg(&corpus))?;
    assets()
}

fn made(name: &str) -> PathBuf {
    workspace_root().join("target").join(name)
}

fn remove(dir: &Path) -> Outcome {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", dir, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Every file below a directory by its path from there; of a link, where it points to.
fn read_tree(root: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(path) = left.pop() {
        read_entry(root, &path, &mut files, &mut left)
            .map_err(|error| cannot("read", &path, &error))?;
    }
    Ok(files)
}

fn read_entry(
    root: &Path,
    path: &Path,
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
    left: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            left.push(entry?.path());
        }
        return Ok(());
    }
    let bytes = if kind.is_symlink() {
        [b"-> ", fs::read_link(path)?.as_os_str().as_bytes()].concat()
    } else {
        fs::read(path)?
    };
    files.insert(path.strip_prefix(root).unwrap_or(path).to_path_buf(), bytes);
    Ok(())
}

/// A sentence for each file that is in one tree only, or has other bytes in the other.
fn differences(
    place: &str,
    committed: &BTreeMap<PathBuf, Vec<u8>>,
    made: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (path, bytes) in committed {
        let path = path.as_path();
        match made.get(path) {
            None => found.push(format!("{place}/{}: nothing makes it", path.display())),
            Some(other) if other != bytes => {
                let same = bytes.iter().zip(other).take_while(|(one, other)| one == other);
                let at = same.count();
                found.push(format!("{place}/{}: differs from byte {at} on", path.display()));
            }
            Some(_) => {}
        }
    }
    let new = made.keys().filter(|path| !committed.contains_key(*path));
    found.extend(new.map(|path| format!("{place}/{}: it is missing", path.display())));
    found
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree(files: &[(&str, &str)]) -> BTreeMap<PathBuf, Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None => fs::write(path, text).unwrap(),
            }
        }
        read_tree(dir.path()).unwrap()
    }

    #[test]
    fn equal_trees_have_no_difference() {
        let files = [("a/b", "x"), ("c", "y"), ("d", "-> c")];
        assert_eq!(differences("p", &tree(&files), &tree(&files)), [""; 0]);
    }

    #[test]
    fn a_changed_a_missing_and_a_leftover_file_are_each_named() {
        let committed = tree(&[("a/b", "same"), ("a/c", "left"), ("e", "-> x")]);
        let made = tree(&[("a/b", "sane"), ("d", "new"), ("e", "-> y")]);
        assert_eq!(
            differences("p", &committed, &made),
            [
                "p/a/b: differs from byte 2 on",
                "p/a/c: nothing makes it",
                "p/e: differs from byte 3 on",
                "p/d: it is missing"
            ]
        );
    }

    #[test]
    fn a_longer_file_differs_where_the_shorter_one_ends() {
        let (short, long) = (tree(&[("a", "x")]), tree(&[("a", "xy")]));
        assert_eq!(differences("p", &short, &long), ["p/a: differs from byte 1 on"]);
    }
}
