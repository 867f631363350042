//! What the groups of a match become: labels of `probe_expect_info`, and text that is sent back.

use regex::Regex;

use crate::probe::{Metric, Samples};

/// The longest captured label, in characters: what matched is the peer's text, and peers can be talkative.
const MAX_LABEL: usize = 200;

/// The labels captured so far.
#[derive(Debug, Default)]
pub(in crate::probe) struct Captured<'a>(Vec<(&'a str, String)>);

impl<'a> Captured<'a> {
    /// Sets the `labels` of a `text` that matches, beside those of earlier steps; returns `send` with its groups filled in.
    pub(in crate::probe) fn take(
        &mut self,
        pattern: &Regex,
        labels: &'a [(String, String)],
        send: &str,
        text: &str,
        out: &mut Samples,
    ) -> String {
        let Some(captures) = pattern.captures(text) else { return send.to_owned() };
        for (name, template) in labels {
            let mut value = String::new();
            captures.expand(template, &mut value);
            let value = value.chars().take(MAX_LABEL);
            self.0.push((name, value.map(|c| if c.is_control() { ' ' } else { c }).collect()));
        }
        if !labels.is_empty() {
            let all: Vec<_> = self.0.iter().map(|(name, value)| (*name, value.as_str())).collect();
            out.set_info(Metric::ExpectInfo, &all, 1.0);
        }
        let mut filled = String::new();
        captures.expand(send, &mut filled);
        filled
    }
}
