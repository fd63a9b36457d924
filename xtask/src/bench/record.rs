//! A run on record: a directory in `bench-runs/`, for documents to link to.

use std::fs;
use std::path::PathBuf;

use super::figures::{Measured, rows, tables};
use super::machine::Machine;
use crate::command::{Failure, Outcome, workspace_root};
use crate::output;

const RUNS: &str = "bench-runs";

/// Where a run will be recorded.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    dir: PathBuf,
}

/// Whether a name can be part of a path and of a link as it is.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(plain)
}

/// Makes the directory of a run, which must not exist: what is on record stays as it is.
pub(super) fn reserve(machine: &Machine, name: &str) -> Result<Place, Failure> {
    let dir = workspace_root().join(RUNS).join(format!("{}-{name}", machine.date));
    if dir.exists() {
        return Err(Failure::new(format_args!("{} is there already", dir.display())));
    }
    Ok(Place { name: name.to_owned(), dir })
}

impl Place {
    pub(super) fn write(&self, machine: &Machine, measured: &Measured) -> Outcome {
        let failure =
            |error| Failure::new(format_args!("cannot write {}: {error}", self.dir.display()));
        fs::create_dir_all(&self.dir).map_err(failure)?;
        fs::write(self.dir.join("README.md"), readme(&self.name, machine, measured))
            .map_err(failure)?;
        fs::write(self.dir.join("rows.jsonl"), rows(measured)).map_err(failure)?;
        output::say(format_args!("recorded in {}", self.dir.display()));
        Ok(())
    }
}

fn readme(name: &str, machine: &Machine, measured: &Measured) -> String {
    format!(
        "# {name}\n\n\
         Recorded by `cargo xtask bench --record {name}`. What each figure means is said in\n\
         [docs/performance.md](../../docs/performance.md); every figure is a line of\n\
         [rows.jsonl](rows.jsonl).\n\n\
         | | |\n|---|---|\n{machine}\n{}",
        tables(measured)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_record_is_not_written_over() {
        let machine = Machine::read().unwrap();
        let place = reserve(&machine, "no-such-run").unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join(place.dir.file_name().unwrap());
        let place = Place { dir: dir.clone(), ..place };
        place.write(&machine, &Measured::default()).unwrap();
        let readme = fs::read_to_string(dir.join("README.md")).unwrap();
        assert!(readme.contains("`cargo xtask bench --record no-such-run`"), "{readme}");
        assert!(readme.contains("| commit | "), "{readme}");
        assert!(dir.join("rows.jsonl").exists());
    }
}
