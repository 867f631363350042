//! docs/architecture.md and the code: every module is on the map, and every file says at its head what it is for.

use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = include_str!("../../../docs/architecture.md");

/// The Rust files of a folder and the folders in it.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_module_of_the_library_is_on_the_map() {
    let library = fs::read_to_string("src/lib.rs").unwrap();
    let modules = library.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?;
        name.strip_suffix(';')
    });
    let missing: Vec<&str> = modules.filter(|name| !MAP.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md says nothing of {missing:?}");
}

#[test]
fn the_map_names_no_module_that_is_gone() {
    let rows = MAP.lines().skip_while(|line| !line.starts_with("| folder |")).skip(2);
    let names = rows.take_while(|line| line.starts_with('|')).flat_map(|row| {
        let cell = row.split('|').nth(1).unwrap_or_default();
        cell.split('`').skip(1).step_by(2).collect::<Vec<_>>()
    });
    for name in names {
        let path = match name.strip_suffix('/') {
            Some(folder) => PathBuf::from("..").join(folder),
            None => Path::new("src").join(name.replace("::", "/")),
        };
        assert!(path.exists() || path.with_extension("rs").exists(), "`{name}` is on the map and not in the code");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "../demo/src", "../tests/src", "../tests/it", "../tests/benches"] {
        sources(Path::new(folder), &mut files);
    }
    let silent: Vec<_> = files.iter().filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! ")).collect();
    assert!(files.len() > 100 && silent.is_empty(), "no header in {silent:?}");
}
