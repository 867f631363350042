//! `query_response`: the steps of a conversation as the configuration writes them.

use regex::Regex;

use crate::config::decode::{Cursor, collect, shorten};

/// Labels the page itself gives a probe's series; a captured one must not clash with them.
const TAKEN: [&str; 11] =
    ["contract", "site", "probe", "module", "target", "function", "capability", "host", "reference", "phase", "reason"];

/// One step: wait for something, then send something, then begin TLS; each part optional, in this order.
#[derive(Debug)]
pub(in crate::probe) struct Step {
    pub(in crate::probe) expect: Expect,
    /// What is sent, a line feed behind it; `${1}` stands for a group of `expect`.
    pub(in crate::probe) send: Option<String>,
    pub(in crate::probe) starttls: bool,
}

/// What a step waits for.
#[derive(Debug)]
pub(in crate::probe) enum Expect {
    Nothing,
    /// Lines are read until one matches.
    Line {
        pattern: Regex,
        /// Name and template of what `probe_expect_info` shows.
        labels: Vec<(String, String)>,
    },
    /// The very next bytes are these.
    Bytes(Vec<u8>),
}

impl Step {
    pub(in crate::probe) fn expects_bytes(&self) -> bool {
        matches!(self.expect, Expect::Bytes(_))
    }
}

/// What is said over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Form {
    /// A stream of bytes: lines, compared bytes, TLS from the beginning or later.
    Stream {
        /// From the beginning.
        tls: bool,
    },
    /// Whole messages, matched one by one.
    Messages,
}

/// Reads the list.
pub(in crate::probe) fn decode(cursor: &Cursor<'_>, form: Form) -> Option<Vec<Step>> {
    let mut names = Vec::new();
    let mut tls = form == Form::Stream { tls: true };
    collect(&cursor.list()?, |item| {
        let step = decode_step(item, form, &mut names)?;
        if step.starttls && std::mem::replace(&mut tls, true) {
            return item.error("`starttls` cannot be here: the connection is under TLS already");
        }
        Some(step)
    })
}

fn decode_step(cursor: &Cursor<'_>, form: Form, names: &mut Vec<String>) -> Option<Step> {
    let mut map = cursor.map()?;
    let line = map.get("expect");
    let messages = form == Form::Messages;
    let bytes = if messages { None } else { map.get("expect_bytes") };
    let labels = map.get("labels");
    let send = map.get("send");
    let starttls = map.get("starttls").map_or(Some(false), |c| match c.bool()? {
        true if messages => c.error("messages are under TLS from the beginning or never; write wss:// in the target"),
        starttls => Some(starttls),
    });
    if messages {
        map.unsupported(&["expect_bytes"], "a message is matched as a whole; write `expect`");
    }
    map.finish();
    if line.is_none() && bytes.is_none() && send.is_none() && starttls == Some(false) {
        cursor.warn(if messages {
            "does nothing: it has neither `expect` nor `send`"
        } else {
            "does nothing: it has neither `expect`, `expect_bytes`, `send` nor `starttls: true`"
        });
    }
    if let (None, Some(labels)) = (&line, &labels) {
        labels.warn("has no effect without `expect`");
    }
    let expect = match (line, bytes) {
        (Some(line), Some(_)) => return line.error("give `expect` or `expect_bytes`, not both"),
        (None, None) => Expect::Nothing,
        (None, Some(bytes)) => Expect::Bytes(bytes.non_empty()?.into_bytes()),
        (Some(line), None) => {
            line.non_empty()?;
            let pattern = line.regex()?;
            let labels = labels.map_or(Some(Vec::new()), |c| decode_labels(&c, &pattern, names))?;
            Expect::Line { pattern, labels }
        }
    };
    let text = match &send {
        None => None,
        Some(c) => Some(c.string()?).filter(|text| !text.is_empty()),
    };
    if let (Expect::Line { pattern, .. }, Some(text), Some(c)) = (&expect, &text, &send) {
        check_template(c, text, pattern)?;
    }
    Some(Step { expect, send: text, starttls: starttls? })
}

fn decode_labels(cursor: &Cursor<'_>, pattern: &Regex, names: &mut Vec<String>) -> Option<Vec<(String, String)>> {
    collect(&cursor.list()?, |item| {
        let mut map = item.map()?;
        let name = map.require("name").and_then(|c| {
            let name = c.non_empty()?;
            let mut bytes = name.bytes();
            let valid = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
                && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.starts_with("__");
            if !valid {
                return c.error(format_args!(
                    "`{}` is not a label name; write letters, digits and `_`, no digit first, not `__` first",
                    shorten(&name)
                ));
            }
            if TAKEN.contains(&name.as_str()) {
                return c.error(format_args!("`{name}` is a label of every probe already; choose another name"));
            }
            if names.contains(&name) {
                return c.error(format_args!("label `{name}` is set twice in this module"));
            }
            names.push(name.clone());
            Some(name)
        });
        let value = map.require("value").and_then(|c| {
            let template = c.string()?;
            check_template(&c, &template, pattern)?;
            Some(template)
        });
        map.finish();
        Some((name?, value?))
    })
}

/// Refuses references to groups the pattern does not have: they would be silently empty.
fn check_template(cursor: &Cursor<'_>, template: &str, pattern: &Regex) -> Option<()> {
    let reference = Regex::new(r"\$(?:\$|\{([0-9A-Za-z_]+)\}|([0-9A-Za-z_]+))").ok()?;
    for found in reference.captures_iter(template) {
        let Some(name) = found.get(1).or(found.get(2)).map(|m| m.as_str()) else { continue };
        let groups = pattern.captures_len() - 1;
        match name.parse::<usize>() {
            Ok(number) if number <= groups => {}
            Ok(_) => {
                let plural = if groups == 1 { "" } else { "s" };
                return cursor.error(format_args!("`{}`: the pattern has {groups} group{plural}", shorten(&found[0])));
            }
            Err(_) if pattern.capture_names().flatten().any(|known| known == name) => {}
            Err(_) => {
                return cursor.error(format_args!(
                    "`{}`: the pattern has no group named `{}`; write `${{1}}` with braces before letters, `$$` for a dollar",
                    shorten(&found[0]),
                    shorten(name)
                ));
            }
        }
    }
    Some(())
}
