//! Documents as they were last looked at, in `exporter/src/report/golden/`; `UPDATE=1 cargo test` writes them anew.

use std::path::Path;

/// Compares `bytes` with the file `name`.
#[track_caller]
pub(crate) fn check(name: &str, bytes: &[u8]) {
    check_in("src/report/golden", name, bytes);
}

/// The same in another folder of the crate.
#[track_caller]
pub(crate) fn check_in(folder: &str, name: &str, bytes: &[u8]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&file, bytes).unwrap();
        return;
    }
    let expected = std::fs::read(&file).unwrap_or_default();
    let (expected, seen) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(bytes));
    let first = expected.lines().zip(seen.lines()).enumerate().find(|(_, (old, new))| old != new);
    let cut = |text: &str| text.chars().take(300).collect::<String>();
    if let Some((number, (old, new))) = first {
        panic!("{name}:{}: was\n{}\nis\n{}\nUPDATE=1 takes it over", number + 1, cut(old), cut(new));
    }
    assert!(expected == seen, "{name}: one is longer than the other; UPDATE=1 takes it over");
}
