//! A draft as the text of a ledger: entries to complete, and comments with what was seen.

use jiff::Timestamp;

use super::{Draft, Evidence, Proposal, Remark};
use crate::contract::{Contract, Text};
use crate::report::model::Link;
use crate::report::slots::STEP;

/// The text; `evidence` is in the order of `draft.proposals`.
#[must_use]
pub fn write(draft: &Draft, evidence: &[Evidence], contract: &Contract) -> String {
    let page = Page { contract };
    let mut out = String::from(
        "# Measured downtime that no entry of the ledger decides. Nothing in here is decided: an entry without `cause` changes\n\
         # no figure. Complete what is yours to say (title, cause, decided), take it into the ledger, and remove the rest.\n",
    );
    if !draft.remarks.is_empty() {
        out += "\n# For entries that exist:\n";
        draft.remarks.iter().for_each(|remark| page.remark(remark, &mut out));
    }
    if draft.proposals.is_empty() {
        return out;
    }
    out += "\nincidents:\n";
    for (i, proposal) in draft.proposals.iter().enumerate() {
        page.proposal(proposal, evidence.get(i), &mut out);
    }
    out
}

struct Page<'a> {
    contract: &'a Contract,
}

impl Page<'_> {
    fn remark(&self, remark: &Remark, out: &mut String) {
        let Remark { link, function, start, end } = remark;
        let when = format!("{} to {}", self.moment(*start), self.moment(*end));
        let (what, todo) = match link {
            Link::Overrun { id } => (
                format!("{function} was down from the announced end of maintenance {id} on, {when}"),
                format!("if the work went on until then, write into it: finished_at: {}", self.moment(*end)),
            ),
            Link::Incident { id } | Link::Counted { id } => {
                (format!("{function} was down {when}, within {id}"), "which has no cause yet: judge it".to_owned())
            }
        };
        *out += &format!("# - {}\n#   {}\n", comment(&what), comment(&todo));
    }

    fn proposal(&self, proposal: &Proposal, evidence: Option<&Evidence>, out: &mut String) {
        let minutes = (proposal.ended_at - proposal.started_at) / 60;
        let slots = (proposal.ended_at - proposal.started_at) / STEP;
        *out += &format!("  # {minutes} min, {slots} slots");
        *out += if proposal.open { "; it goes on\n" } else { "\n" };
        if let Some(id) = &proposal.counted {
            line(out, &format!("within maintenance {id}, which is not excluded: its stop counts, as cause: internal"));
        }
        if let Some(evidence) = evidence {
            seen(evidence, slots, out);
        }
        let title = self.title(&proposal.functions);
        *out += &format!("  - id: {}\n", scalar(&proposal.id));
        *out += &format!("    title: {{ja: {}, en: {}}}\n", scalar(&title.ja), scalar(&title.en));
        let functions: Vec<String> = proposal.functions.iter().map(|name| scalar(name)).collect();
        *out += &format!("    functions: [{}]\n", functions.join(", "));
        *out += &format!("    started_at: {}\n", self.moment(proposal.started_at));
        if !proposal.open {
            *out += &format!("    resolved_at: {}\n", self.moment(proposal.ended_at));
        }
        *out += "    # cause: internal | upstream | force_majeure | false_alarm\n";
        *out += "    # decided: {by: , at: , evidence: }\n";
    }

    fn title(&self, functions: &[String]) -> Text {
        let titles: Vec<Text> = functions
            .iter()
            .map(|name| {
                let known = self.contract.functions.iter().find(|function| function.name == *name);
                known.map_or_else(|| Text { ja: name.clone(), en: name.clone() }, |function| function.title.clone())
            })
            .collect();
        let join = |of: fn(&Text) -> &str, comma| titles.iter().map(of).collect::<Vec<_>>().join(comma);
        Text {
            ja: format!("{}の停止（要記入）", join(|t| &t.ja, "、")),
            en: format!("{} down (to be described)", join(|t| &t.en, ", ")),
        }
    }

    /// On the contract's clocks, with its offset.
    fn moment(&self, at: i64) -> String {
        let zoned = Timestamp::from_second(at).unwrap_or_default().to_zoned(self.contract.timezone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

fn seen(evidence: &Evidence, slots: i64, out: &mut String) {
    for failing in &evidence.failing {
        let reasons: Vec<String> = failing.reasons.iter().map(|(why, count)| format!("{why} {count}×")).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
        let super::Failing { site, probe, target, evidence, down, measured, .. } = failing;
        line(out, &format!("{probe} ({evidence}) of {target} from {site}: down in {down} of {measured} slots{why}"));
    }
    if evidence.more > 0 {
        line(out, &format!("and {} more probes", evidence.more));
    }
    if evidence.failing.is_empty() {
        line(out, "which probes failed is not in Prometheus any more");
    }
    for upstream in &evidence.upstreams {
        let super::UpstreamSeen { name, probe, failed, measured } = upstream;
        let seen = format!("its probe {probe} failed in {failed} of {measured} slots");
        if *failed > 0 && i64::try_from(*failed).unwrap_or(i64::MAX) * 2 >= slots {
            line(out, &format!("proposed: cause: upstream, upstream: {name} — {seen}"));
        } else {
            line(out, &format!("upstream {name}: {seen}"));
        }
    }
}

fn line(out: &mut String, text: &str) {
    *out += &format!("  # {}\n", comment(text));
}

/// One line, whatever is in it.
fn comment(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text as YAML takes it whatever is in it: as JSON writes it.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && text.chars().any(|c| c.is_ascii_alphabetic())
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null");
    if plain { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}
