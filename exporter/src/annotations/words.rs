//! What people read at a region: why, what, which functions, which entry; Japanese and English.
//!
//! Grafana shows an annotation's text as HTML, so what the ledger says is escaped.

use crate::contract::{Contract, Text};
use crate::ledger::{Cause, Ledger};
use crate::windows::Reason;

/// The longest title, in characters, as in the ledger.
const MAX_TITLE: usize = 256;
/// Functions named at most.
const MAX_FUNCTIONS: usize = 20;

/// What a text is of.
pub(super) struct Subject<'a> {
    pub(super) contract: &'a Contract,
    pub(super) ledger: &'a Ledger,
    pub(super) entry: &'a str,
    pub(super) reason: Reason,
    pub(super) functions: &'a [&'a str],
    pub(super) open: bool,
}

/// Lines that can also be read one after the other.
pub(super) fn text(subject: &Subject<'_>) -> String {
    let incident = subject.ledger.incidents.iter().find(|incident| incident.id == subject.entry);
    let stop = subject.ledger.maintenance.iter().find(|stop| stop.id == subject.entry);
    let mut lines = vec![why(subject.reason)];
    if let Some(title) = incident.map(|i| &i.title).or_else(|| stop.map(|stop| &stop.title)) {
        lines.push(title.clone());
    }
    if let Some(Cause::Upstream(name)) = incident.and_then(|incident| incident.cause.as_ref()) {
        let upstream = subject.contract.upstreams.iter().find(|upstream| upstream.name == *name);
        let title = upstream.map_or_else(|| both(name, name), |upstream| upstream.title.clone());
        lines.push(both(&format!("起因: {}", title.ja), &format!("Caused by: {}", title.en)));
    }
    lines.push(functions(subject));
    if let Some(incident) = incident {
        lines.push(match &incident.decided {
            Some(_) => both("判定済み", "Decided"),
            None => both("未判定（暫定）", "Not decided yet (provisional)"),
        });
    }
    if subject.open {
        lines.push(both("継続中", "Going on"));
    }
    let mut out = Vec::with_capacity(lines.len() + 1);
    for Text { ja, en } in lines {
        out.push(if ja == en { escaped(&ja) } else { escaped(&format!("{ja} / {en}")) });
    }
    out.push(escaped(&format!("台帳 / Ledger: {}", subject.entry)));
    out.join("\n")
}

fn both(ja: &str, en: &str) -> Text {
    Text { ja: ja.to_owned(), en: en.to_owned() }
}

fn why(reason: Reason) -> Text {
    match reason {
        Reason::Planned => both("計画停止（除外）", "Planned stop (excluded)"),
        Reason::Upstream => both("外部プラットフォームに起因する停止（除外）", "Upstream platform (excluded)"),
        Reason::ForceMajeure => both("不可抗力による停止（除外）", "Beyond reasonable control (excluded)"),
        Reason::Internal => both("停止（停止時間に算入）", "Failure (downtime)"),
        Reason::Overrun => both("メンテナンスの超過（停止時間に算入）", "Maintenance overrun (downtime)"),
        Reason::FalseAlarm => both("誤検知（停止なし）", "False alarm (was up)"),
    }
}

fn functions(subject: &Subject<'_>) -> Text {
    let titles: Vec<Text> = subject
        .functions
        .iter()
        .take(MAX_FUNCTIONS)
        .map(|name| {
            let known = subject.contract.functions.iter().find(|function| function.name == *name);
            known.map_or_else(|| both(name, name), |function| function.title.clone())
        })
        .collect();
    let join = |of: fn(&Text) -> &str, comma| titles.iter().map(of).collect::<Vec<_>>().join(comma);
    let more = subject.functions.len() - titles.len();
    let (ja, en) = match more {
        0 => (String::new(), String::new()),
        more => (format!(" ほか {more} 件"), format!(" and {more} more")),
    };
    Text {
        ja: format!("機能: {}{ja}", join(|title| &title.ja, "、")),
        en: format!("Functions: {}{en}", join(|title| &title.en, ", ")),
    }
}

/// On one line, as HTML that shows the text and nothing else.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(4 * MAX_TITLE) {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
