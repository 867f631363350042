//! The folder a run keeps everything in, and the folders of runs that could not remove theirs.

use std::path::Path;

use tempfile::TempDir;

/// Then the launcher's process id and something random.
const PREFIX: &str = "sla-exporter-run-";

/// A new one; removes those whose launcher was killed before it could.
pub(super) fn create() -> Result<TempDir, String> {
    let parent = std::env::temp_dir();
    remove_leftovers(&parent);
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir_in(&parent)
        .map_err(|error| format!("cannot make a temporary folder in {}: {error}", parent.display()))
}

fn remove_leftovers(parent: &Path) {
    // Without /proc every launcher would look dead.
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let launcher = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if launcher.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Somebody else's stays: it is theirs to remove.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_launchers_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let dead = format!("{PREFIX}{}-x", ended.id());
        let stay = [format!("{PREFIX}{}-x", std::process::id()), format!("{PREFIX}x"), "other".to_owned()];
        for name in stay.iter().chain([&dead]) {
            std::fs::create_dir(parent.path().join(name)).unwrap();
            std::fs::write(parent.path().join(name).join("file"), "").unwrap();
        }
        remove_leftovers(parent.path());
        assert!(!parent.path().join(&dead).exists());
        for name in &stay {
            assert!(parent.path().join(name).join("file").exists(), "{name}");
        }
    }
}
