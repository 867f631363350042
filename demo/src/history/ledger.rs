//! The ledger of a story, as people would have written it: ledger.yml.

use std::fmt::Write as _;

use super::calendar::{at, date, written};
use super::story::{Cause, Incident, Ruling, Stop, Story, Text};

/// The whole file. `now` is when it ends, in seconds since the epoch.
pub(super) fn write(story: &Story, now: i64) -> String {
    let mut out = String::from(
        "# Demo: everything in here is invented, and was generated when the stack started. Change it while the stack runs: the\n\
         # exporter reads it again, and the figures follow within five minutes. docs/demo.md has things to try, docs/ledger.md\n\
         # every key.\n\nmaintenance:\n",
    );
    for entry in &story.stops {
        stop(&mut out, entry);
    }
    out.push_str("\nincidents:\n");
    for entry in &story.incidents {
        incident(&mut out, entry);
    }
    records(&mut out, now);
    out
}

/// `{ja: …, en: …}`; JSON's strings are YAML's.
fn both((ja, en): Text) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!("{{ja: {}, en: {}}}", quoted(ja), quoted(en))
}

/// Titles say that it is all invented.
fn title((ja, en): Text) -> String {
    let quoted = |text: String| serde_json::Value::from(text).to_string();
    format!("{{ja: {}, en: {}}}", quoted(format!("【デモ】{ja}")), quoted(format!("[demo] {en}")))
}

fn stop(out: &mut String, stop: &Stop) {
    let Stop { shows, id, title: name, functions, announced, start, end, finished, cancelled, emergency } = stop;
    let _ = write!(
        out,
        "  # {shows}\n  - id: {id}\n    title: {}\n    functions: [{}]\n    announced_at: {}\n    start: {}\n    end: {}\n",
        title(*name),
        functions.join(", "),
        written(*announced),
        written(*start),
        written(*end),
    );
    for (key, at) in [("finished_at", finished), ("cancelled_at", cancelled)] {
        if let Some(at) = at {
            let _ = writeln!(out, "    {key}: {}", written(*at));
        }
    }
    if *emergency {
        out.push_str("    emergency: true\n");
    }
    let _ = write!(
        out,
        "    notices:\n      - {{at: {}, channel: mail}}\n      - {{at: {}, channel: page}}\n",
        written(*announced),
        written(*announced)
    );
}

fn incident(out: &mut String, incident: &Incident) {
    let Incident { shows, id, title: name, functions, cause, start, resolved, ruled, notices, updates } = incident;
    let _ = write!(
        out,
        "  # {shows}\n  - id: {id}\n    title: {}\n    functions: [{}]\n",
        title(*name),
        functions.join(", ")
    );
    if let Some(cause) = cause {
        let _ = writeln!(out, "    cause: {}", cause.word());
        if *cause == Cause::Upstream {
            out.push_str("    upstream: sfdc\n");
        }
    }
    let _ = writeln!(out, "    started_at: {}", written(*start));
    if let Some(resolved) = resolved {
        let _ = writeln!(out, "    resolved_at: {}", written(*resolved));
    }
    if let Some(Ruling { at, by, evidence }) = ruled.filter(|ruling| !ruling.by.is_empty()) {
        let _ = writeln!(out, "    decided: {{by: {by}, at: {}, evidence: {}}}", written(at), both(evidence));
    }
    for (i, (at, channel)) in notices.iter().enumerate() {
        let head = if i == 0 { "    notices:\n" } else { "" };
        let _ = writeln!(out, "{head}      - {{at: {}, channel: {channel}}}", written(*at));
    }
    for (i, (at, status, text)) in updates.iter().enumerate() {
        let head = if i == 0 { "    updates:\n" } else { "" };
        let _ = writeln!(
            out,
            "{head}      - at: {}\n        status: {status}\n        text: {}",
            written(*at),
            both(*text)
        );
    }
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Upstream => "upstream",
            Self::ForceMajeure => "force_majeure",
            Self::FalseAlarm => "false_alarm",
        }
    }
}

/// Restore drills and security updates.
fn records(out: &mut String, now: i64) {
    let ago = |days: i64, hour: i64| written(at(date(now - days * 86_400), hour, 0));
    let drill = |days: i64| {
        let text = (
            "前日のバックアップからの復元訓練。所要時間 42 分、件数一致。",
            "Restored from the day before's backup in 42 minutes; counts agree.",
        );
        format!("  - {{at: {}, text: {}}}\n", ago(days, 14), both(text))
    };
    let _ = write!(
        out,
        "\ndrills:\n{}{}\n\
         advisories:\n\
         \x20 - {{id: DEMO-SA-1, component: openssl, published_at: {}, decision: apply, applied_at: {}}}\n\
         \x20 - {{id: DEMO-SA-2, component: postgresql, published_at: {}, decision: not_applicable}}\n\
         \x20 # Nobody has decided about it yet.\n\
         \x20 - {{id: DEMO-SA-3, component: kernel, published_at: {}}}\n",
        drill(150),
        drill(40),
        ago(60, 9),
        ago(45, 22),
        ago(33, 9),
        ago(10, 9),
    );
}
