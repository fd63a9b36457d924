//! Reads the files that git tracks or would track, so that build output is never looked at.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::file::File;
use crate::command::{Failure, read};

const LIST: [&str; 5] = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];

/// The workspace's text files. A file that is not UTF-8 holds data, which has no style.
pub(crate) fn read_all(root: &Path) -> Result<Vec<File>, Failure> {
    let listed = read(Command::new("git").args(LIST).current_dir(root))?;
    let mut paths: Vec<&str> = listed.split_terminator('\0').collect();
    // During a merge git lists a file once for each side.
    paths.sort_unstable();
    paths.dedup();
    let files: Result<Vec<_>, _> = paths.into_iter().map(|path| read_text(root, path)).collect();
    Ok(files?.into_iter().flatten().collect())
}

fn read_text(root: &Path, path: &str) -> Result<Option<File>, Failure> {
    match std::fs::read(root.join(path)) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok().map(|text| File::new(path, text))),
        // Git lists a file whose deletion is not committed; a link may name a directory.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Ok(None)
        }
        Err(error) => Err(Failure::new(format_args!("cannot read {path}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::run;
    use std::fs;

    #[test]
    fn ignored_binary_and_deleted_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        run(Command::new("git").args(["init", "--quiet"]).current_dir(&root)).unwrap();
        fs::write(at(".gitignore"), "/target\n").unwrap();
        fs::create_dir_all(at("target")).unwrap();
        fs::write(at("target/built.rs"), "").unwrap();
        fs::write(at("kept \"quoted\".rs"), "fn f() {}\n").unwrap();
        fs::write(at("data.bin"), [0xff, 0xfe]).unwrap();
        fs::write(at("gone.rs"), "").unwrap();
        run(Command::new("git").args(["add", "gone.rs"]).current_dir(&root)).unwrap();
        fs::remove_file(at("gone.rs")).unwrap();

        let files = read_all(root.path()).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".gitignore", "kept \"quoted\".rs"]);
    }
}
