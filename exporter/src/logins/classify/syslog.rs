//! A line of a log file as syslog daemons write it: time, host, program, process, message.
//!
//! Both shapes in use: `Nov 23 09:24:01 web1 sshd[81]: …` and `2026-11-23T09:24:01.123456+09:00 web1 sshd[81]: …`.

/// A message with who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The program's name, without a folder.
    pub program: &'a str,
    /// Its process, where it says so.
    pub process: Option<u32>,
    /// What it says.
    pub text: &'a str,
}

/// The message of a line; `None` for one of another shape.
#[must_use]
pub fn parse(line: &str) -> Option<Message<'_>> {
    let line = line.trim_end_matches(['\r', ' ']);
    let rest = if line.starts_with(|c: char| c.is_ascii_digit()) {
        // One word, with a `T` between day and time.
        let (time, rest) = line.split_once(' ')?;
        time.contains('T').then_some(rest)?
    } else {
        let (_month, rest) = word(line)?;
        let (_day, rest) = word(rest)?;
        let (time, rest) = word(rest)?;
        time.contains(':').then_some(rest)?
    };
    let (_host, rest) = word(rest)?;
    let (tag, text) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|tag| (tag, "")))?;
    // A message without a tag may have a colon anywhere.
    if tag.contains(' ') {
        return None;
    }
    let (program, process) = match tag.split_once('[') {
        Some((program, process)) => (program, process.trim_end_matches(']').parse().ok()),
        None => (tag, None),
    };
    Some(Message { program: name(program), process, text: text.trim_start() })
}

/// A program's name without its folder: some write `/usr/sbin/sshd`, and login's module once wrote `(sshd)`.
#[must_use]
pub fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program).trim_matches(['(', ')'])
}

fn word(text: &str) -> Option<(&str, &str)> {
    text.trim_start().split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, program: &str, process: Option<u32>, text: &str) {
        assert_eq!(parse(line), Some(Message { program, process, text }), "{line}");
    }

    #[test]
    fn both_shapes_are_read() {
        check("Nov 23 09:24:01 web1 sshd[81]: Failed x", "sshd", Some(81), "Failed x");
        check("Nov  3 09:24:01 web1 sshd[81]: Failed x", "sshd", Some(81), "Failed x");
        check("2026-11-23T09:24:01.123456+09:00 web1 sshd-session[81]: a: b", "sshd-session", Some(81), "a: b");
        check("Nov 23 09:24:01 web1 sudo:    alice : x", "sudo", None, "alice : x");
        check("Nov 23 09:24:01 web1 /usr/sbin/sshd[7]: x\r", "sshd", Some(7), "x");
        check("Nov 23 09:24:01 web1 su[7]:", "su", Some(7), "");
    }

    #[test]
    fn other_lines_are_none() {
        for line in
            ["", "x", "Nov 23 web1 sshd[1]: x", "2026-11-23 09:24:01 web1 sshd[1]: x", "Nov 23 09:24:01 web1", "::::"]
        {
            assert_eq!(parse(line), None, "{line}");
        }
        assert_eq!(parse("Nov 23 09:24:01 web1 last message about sshd: x"), None);
    }
}
