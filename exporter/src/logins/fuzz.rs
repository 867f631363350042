//! Lines of logs, for fuzzing: whoever is refused writes a part of them.

use super::classify::{self, syslog};
use super::journal;

/// Each line as a log file's, and as the journal's.
pub(crate) fn lines(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        if let Some(message) = syslog::parse(&text) {
            tell(&message);
        }
        if let Some((_, Some(entry))) = journal::fuzz_entry(line) {
            tell(&syslog::Message { program: syslog::name(&entry.program), process: entry.process, text: &entry.text });
        }
    }
}

fn tell(message: &syslog::Message<'_>) {
    let _ = classify::accepted(message);
    if let Some(said) = classify::classify(message) {
        assert!(said.user.is_none_or(|user| !user.is_empty()));
    }
}
