//! A draft as the text of a ledger: entries to complete, and what was seen in comments.

use jiff::Timestamp;

use super::scalar::{comment, name, quoted};
use super::seen;
use super::{APART, Draft, Evidence, Part, Proposal, Remark, State};
use crate::contract::{Contract, Text};
use crate::report::model::Link;

/// The longest title a ledger takes, in characters.
pub(super) const MAX_TITLE: usize = 256;

/// Where a draft comes from.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// What was promised.
    pub contract: &'a Contract,
    /// Of which time it is, for people: `2026-09 and 2026-10`.
    pub of: &'a str,
    /// Who was asked, without credentials.
    pub source: &'a str,
    /// The moment it is of.
    pub now: i64,
}

/// The text. `proposals` and `remarks` are in the order of the draft's; where there are fewer, nothing was asked.
#[must_use]
pub fn write(draft: &Draft, proposals: &[Evidence], remarks: &[Evidence], head: &Head<'_>) -> String {
    let mut page = Page { contract: head.contract, out: String::new(), indent: "" };
    page.line(&format!(
        "Measured downtime of contract {} in {} that no entry of the ledger decides,",
        head.contract.name, head.of
    ));
    page.line(&format!("as of {}, from {}.", page.moment(head.now), head.source));
    if draft.is_empty() {
        page.line("There is none.");
        return page.out;
    }
    page.rules();
    if !draft.remarks.is_empty() {
        page.out.push('\n');
        page.line("For entries that are there already:");
    }
    for (index, remark) in draft.remarks.iter().enumerate() {
        page.remark(remark, remarks.get(index));
    }
    if !draft.proposals.is_empty() {
        page.out += "\nincidents:\n";
        page.indent = "  ";
    }
    for (index, proposal) in draft.proposals.iter().enumerate() {
        page.proposal(proposal, proposals.get(index));
    }
    page.out
}

pub(super) struct Page<'a> {
    pub(super) contract: &'a Contract,
    pub(super) out: String,
    /// Before each comment.
    pub(super) indent: &'static str,
}

impl Page<'_> {
    /// A line of comment.
    pub(super) fn line(&mut self, text: &str) {
        let text = comment(text);
        self.out += self.indent;
        self.out += if text.is_empty() { "#" } else { "# " };
        self.out += text.trim_end();
        self.out.push('\n');
    }

    fn rules(&mut self) {
        self.line("");
        self.line("Nothing is decided here: an entry without `cause` changes no figure. Put the entries under the ledger's `incidents`");
        self.line("(where it is a folder: this as one more file), give them titles and ids, and judge them: `cause`, `decided`.");
        self.line("A slot speaks for the five minutes before it: `started_at` is five minutes before the first that was down,");
        self.line(&format!(
            "`resolved_at` the time of the last. Failures of a function less than {} min apart are one entry, and those of several",
            APART / 60
        ));
        self.line("functions whose begins and ends differ by two slots at most. Where logs know the times better, write those.");
    }

    fn remark(&mut self, remark: &Remark, evidence: Option<&Evidence>) {
        let (what, todo) = match &remark.link {
            Link::Overrun { id } if remark.open => (
                format!("- maintenance {id}: down from its announced end on, and nothing says that it is over"),
                "when the functions are usable again, write into it: finished_at".to_owned(),
            ),
            Link::Overrun { id } => (
                format!("- maintenance {id}: down from its announced end on"),
                format!("if it was the work going on, write into it: finished_at: {}", self.moment(remark.end)),
            ),
            Link::Incident { id } | Link::Counted { id } => (
                format!("- incident {id}: down within it, and it has no `cause`"),
                "judge it: cause, decided".to_owned(),
            ),
        };
        self.line(&what);
        for (function, start, end) in &remark.parts {
            self.line(&format!("  {function}: {} to {}", self.moment(*start), self.moment(*end)));
        }
        if let Some(evidence) = evidence {
            seen::write(self, evidence, remark.first, remark.end, matches!(remark.link, Link::Incident { .. }), "  ");
        }
        self.line(&format!("  {todo}"));
    }

    fn proposal(&mut self, proposal: &Proposal, evidence: Option<&Evidence>) {
        for part in &proposal.parts {
            self.part(proposal, part);
        }
        for part in &proposal.others {
            self.line(&format!("{}: {}", part.function, meanwhile(part)));
        }
        if let Some(id) = &proposal.counted {
            self.line(&format!(
                "within maintenance {id}, which is not excluded (C4.1i): a stop of our own counts as internal"
            ));
            self.line("proposed: cause: internal");
        }
        if let Some(evidence) = evidence {
            seen::write(self, evidence, proposal.first, proposal.ended_at, proposal.counted.is_none(), "");
        }
        let title = self.title(proposal);
        let functions: Vec<String> = proposal.functions().map(name).collect();
        self.out += &format!("  - id: {}\n", name(&proposal.id));
        self.out += &format!("    title: {{ja: {}, en: {}}}\n", quoted(&title.ja), quoted(&title.en));
        self.out += &format!("    functions: [{}]\n", functions.join(", "));
        self.out += "    # cause: internal | upstream | force_majeure | false_alarm\n";
        self.out += &format!("    started_at: {}\n", self.moment(proposal.started_at));
        if !proposal.open {
            self.out += &format!("    resolved_at: {}\n", self.moment(proposal.ended_at));
        }
    }

    /// What one function of an entry did.
    fn part(&mut self, proposal: &Proposal, part: &Part) {
        let end = if proposal.open { "it goes on".to_owned() } else { format!("until {}", self.moment(part.end)) };
        let slots = |count: usize| if count == 1 { "1 slot".to_owned() } else { format!("{count} slots") };
        self.line(&format!("{}: down in {}, from {}, {end}", part.function, slots(part.down), self.moment(part.start)));
        let after = if proposal.open { String::new() } else { format!(", after: {}", word(part.after)) };
        self.line(&format!("  before: {}{after}", word(part.before)));
        if part.up > 0 {
            self.line(&format!(
                "  up in {} of the entry's time ({} min): with `cause: internal` they count as downtime, unless it is split",
                slots(part.up),
                part.up * 5
            ));
        }
        if part.unmeasured > 0 {
            self.line(&format!("  not measured in {} of the entry's time", slots(part.unmeasured)));
        }
        for id in &part.near {
            self.line(&format!("  close to {id}: if it is the same, change the times there instead"));
        }
    }

    /// What was seen, for somebody to put better.
    fn title(&self, proposal: &Proposal) -> Text {
        let known = |name: &str| self.contract.functions.iter().find(|function| function.name == name);
        let titles: Vec<Text> = proposal
            .functions()
            .map(|name| {
                let title = known(name).map(|function| function.title.clone());
                title.unwrap_or_else(|| Text { ja: name.to_owned(), en: name.to_owned() })
            })
            .collect();
        let join = |of: fn(&Text) -> &str, comma| titles.iter().map(of).collect::<Vec<_>>().join(comma);
        let within = |names: String, rest: &str| {
            let room = MAX_TITLE - rest.chars().count();
            names.chars().take(room).collect::<String>().trim_end().to_owned() + rest
        };
        Text {
            ja: within(join(|title| &title.ja, "・"), "の停止を検知（要記入）"),
            en: within(join(|title| &title.en, ", "), " measured as down (to be described)"),
        }
    }

    /// On the contract's clocks, with its offset.
    pub(super) fn moment(&self, at: i64) -> String {
        let zoned = Timestamp::from_second(at).unwrap_or_default().to_zoned(self.contract.timezone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Up => "up",
        State::Down => "down, which an entry decides",
        State::Unmeasured => "not measured",
        State::Outside => "not looked at",
    }
}

/// What a function did during another's failure.
fn meanwhile(part: &Part) -> String {
    let counts = [("up", part.up), ("down", part.down), ("not measured", part.unmeasured)];
    let told: Vec<String> = counts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} in {n}")).collect();
    if told.is_empty() {
        "decided by an entry meanwhile".to_owned()
    } else {
        format!("meanwhile {} slots", told.join(", "))
    }
}
