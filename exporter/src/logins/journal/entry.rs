//! An entry of the journal as `journalctl --output=json` writes it: an object on a line.

use serde_json::Value;

/// How much of a message is looked at, in bytes, as of a line of a file.
const MAX_MESSAGE: usize = crate::logins::follow::MAX_LINE;

/// A message with who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `sshd`.
    pub program: String,
    /// Its process.
    pub process: Option<u32>,
    /// What it says.
    pub text: String,
    /// When the journal received it, in seconds since the epoch.
    pub at: Option<i64>,
}

/// The cursor of an entry, and the entry where it has a message; `None` for what is no entry.
pub(crate) fn parse(line: &[u8]) -> Option<(String, Option<Entry>)> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let cursor = value.get("__CURSOR")?.as_str()?.to_owned();
    let entry = || {
        let program = text(value.get("SYSLOG_IDENTIFIER")).or_else(|| text(value.get("_COMM")))?;
        let number = |field| text(value.get(field))?.parse().ok();
        let at = text(value.get("__REALTIME_TIMESTAMP")).and_then(|at| at.parse::<i64>().ok());
        Some(Entry {
            program,
            process: number("_PID").or_else(|| number("SYSLOG_PID")),
            text: text(value.get("MESSAGE"))?,
            at: at.map(|microseconds| microseconds / 1_000_000),
        })
    };
    let entry = entry();
    Some((cursor, entry))
}

/// A field: a text, bytes that are no text, the first of several, or nothing where it is too large.
fn text(value: Option<&Value>) -> Option<String> {
    let mut text = match value? {
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().all(Value::is_u64) => {
            let bytes = parts.iter().filter_map(|part| part.as_u64().and_then(|byte| u8::try_from(byte).ok()));
            String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
        }
        Value::Array(parts) => return text_of_first(parts),
        _ => return None,
    };
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
    }
    Some(text)
}

fn text_of_first(parts: &[Value]) -> Option<String> {
    match parts.first()? {
        first @ Value::String(_) => text(Some(first)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_as_texts_as_bytes_several_at_once_or_not_at_all() {
        let line = br#"{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1795392000000001","_PID":"81","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Failed x"}"#;
        let entry =
            Entry { program: "sshd".into(), process: Some(81), text: "Failed x".into(), at: Some(1_795_392_000) };
        assert_eq!(parse(line), Some(("c1".to_owned(), Some(entry))));
        let text = |message: &str| {
            let line = format!(r#"{{"__CURSOR":"c","SYSLOG_PID":"7","_COMM":"su","MESSAGE":{message}}}"#);
            parse(line.as_bytes()).unwrap().1.map(|entry| (entry.program, entry.process, entry.text))
        };
        let su = |text: &str| Some(("su".to_owned(), Some(7), text.to_owned()));
        assert_eq!(text("[70,255,97]"), su("F\u{fffd}a"));
        assert_eq!(text(r#"["first","second"]"#), su("first"));
        assert_eq!(text("null"), None);
        assert_eq!(text(&format!("\"{}\"", "語".repeat(MAX_MESSAGE))).unwrap().2.len(), MAX_MESSAGE / 3 * 3);
        for line in ["", "-- cursor: x", "{}", r#"{"__CURSOR":5}"#, "[1]"] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
