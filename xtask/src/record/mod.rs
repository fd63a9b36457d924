//! A run on record: a directory in `bench-runs/`, for documents to link to.

mod machine;

use std::fs;
use std::path::PathBuf;

use crate::command::{Failure, Outcome, workspace_root};
use crate::output;

pub(crate) use machine::Machine;

const RUNS: &str = "bench-runs";

/// Where a run will be recorded.
#[derive(Debug)]
pub(crate) struct Place {
    name: String,
    dir: PathBuf,
}

/// Whether a name can be part of a path and of a link as it is.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(plain)
}

/// Makes the directory of a run, which must not exist: what is on record stays as it is.
pub(crate) fn reserve(machine: &Machine, name: &str) -> Result<Place, Failure> {
    let dir = workspace_root().join(RUNS).join(format!("{}-{name}", machine.date));
    if dir.exists() {
        return Err(Failure::new(format_args!("{} is there already", dir.display())));
    }
    Ok(Place { name: name.to_owned(), dir })
}

impl Place {
    /// The name of the run.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes what people read, and every figure, a line of JSON each.
    pub(crate) fn write(&self, readme: &str, rows: &str) -> Outcome {
        let failure =
            |error| Failure::new(format_args!("cannot write {}: {error}", self.dir.display()));
        fs::create_dir_all(&self.dir).map_err(failure)?;
        fs::write(self.dir.join("README.md"), readme).map_err(failure)?;
        fs::write(self.dir.join("rows.jsonl"), rows).map_err(failure)?;
        output::say(format_args!("recorded in {}", self.dir.display()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_directory_of_its_day_and_name() {
        let machine = Machine::read().unwrap();
        let place = reserve(&machine, "no-such-run").unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join(place.dir.file_name().unwrap());
        assert!(dir.ends_with(format!("{}-no-such-run", machine.date)));
        let place = Place { dir: dir.clone(), ..place };
        place.write("# no-such-run\n", "{}\n").unwrap();
        assert_eq!(fs::read_to_string(dir.join("README.md")).unwrap(), "# no-such-run\n");
        assert_eq!(fs::read_to_string(dir.join("rows.jsonl")).unwrap(), "{}\n");
    }

    #[test]
    fn what_is_on_record_is_not_written_over() {
        let mut machine = Machine::read().unwrap();
        "2026-11-25".clone_into(&mut machine.date);
        assert!(reserve(&machine, "baseline").is_err());
    }
}
