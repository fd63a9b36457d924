//! The packages of the workspace and what they depend on, as `cargo metadata` tells it.

use std::path::Path;

use serde_json::Value;

use crate::command::{Failure, cargo, read as read_output};

const METADATA: [&str; 4] = ["metadata", "--format-version", "1", "--no-deps"];

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The path of its Cargo.toml from the workspace root.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) is_optional: bool,
}

/// A build dependency counts as a normal one: a build script decides what the crate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
}

/// Asks cargo about the workspace at `root`.
pub(crate) fn read(root: &Path) -> Result<Vec<Package>, Failure> {
    let json = read_output(cargo(&METADATA).current_dir(root))?;
    let metadata = serde_json::from_str(&json)
        .map_err(|error| Failure::new(format_args!("cargo metadata is not JSON: {error}")))?;
    parse(&metadata).ok_or_else(|| Failure::new("cargo metadata has no packages as we know them"))
}

/// `None` if a field is missing that cargo promises.
pub(crate) fn parse(metadata: &Value) -> Option<Vec<Package>> {
    let root = metadata.get("workspace_root")?.as_str()?;
    metadata.get("packages")?.as_array()?.iter().map(|value| package(root, value)).collect()
}

fn package(root: &str, value: &Value) -> Option<Package> {
    let manifest = value.get("manifest_path")?.as_str()?;
    let inside = manifest.strip_prefix(root).unwrap_or(manifest);
    let dependencies = value.get("dependencies")?.as_array()?;
    Some(Package {
        name: value.get("name")?.as_str()?.to_owned(),
        manifest: inside.trim_start_matches('/').to_owned(),
        dependencies: dependencies.iter().map(dependency).collect::<Option<_>>()?,
    })
}

fn dependency(value: &Value) -> Option<Dependency> {
    let is_dev = value.get("kind")?.as_str() == Some("dev");
    Some(Dependency {
        name: value.get("name")?.as_str()?.to_owned(),
        kind: if is_dev { Kind::Dev } else { Kind::Normal },
        is_optional: value.get("optional")?.as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_told_apart() {
        let metadata = json!({ "workspace_root": "/w", "packages": [{
            "name": "a",
            "manifest_path": "/w/crates/a/Cargo.toml",
            "dependencies": [
                { "name": "b", "kind": null, "optional": true },
                { "name": "c", "kind": "build", "optional": false },
                { "name": "d", "kind": "dev", "optional": false },
            ],
        }]});
        let packages = parse(&metadata).unwrap();
        assert_eq!(packages[0].manifest, "crates/a/Cargo.toml");
        let kinds: Vec<Kind> = packages[0].dependencies.iter().map(|d| d.kind).collect();
        assert_eq!(kinds, [Kind::Normal, Kind::Normal, Kind::Dev]);
        assert!(packages[0].dependencies[0].is_optional);
    }

    #[test]
    fn unknown_shapes_are_not_guessed_at() {
        assert!(parse(&json!({ "workspace_root": "/w", "packages": [{}] })).is_none());
    }
}
