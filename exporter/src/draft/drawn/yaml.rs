//! Drawn annotations as the text of a ledger: entries to complete, and who drew what where in comments.

use super::{Drawn, Entry, Known, Origin, mark};
use crate::contract::Contract;
use crate::draft::scalar::{name, quoted};
use crate::draft::yaml::{MAX_TITLE, Page};

/// Lines of an annotation's text that are repeated.
const MAX_LINES: usize = 10;

/// Where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) contract: &'a Contract,
    /// Of which time it is, for people.
    pub(crate) of: &'a str,
    /// Who was asked, without credentials.
    pub(crate) source: &'a str,
    /// The moment it is of.
    pub(crate) now: i64,
}

/// The text.
pub(crate) fn write(drawn: &Drawn, head: &Head<'_>) -> String {
    let mut page = Page { contract: head.contract, out: String::new(), indent: "" };
    page.line(&format!("What people drew in Grafana with the tag `sla`, in {},", head.of));
    page.line(&format!("as of {}, from {}.", page.moment(head.now), head.source));
    if drawn.entries.is_empty() && drawn.known.is_empty() {
        page.line("There is nothing.");
        return page.out;
    }
    page.line("");
    page.line("Nothing is decided here, and nothing counts before it is in the ledger: complete the entries, give them titles and ids,");
    page.line("judge them (`cause`, `decided`), and put them under the ledger's lists. `sla-exporter check` says what is missing.");
    page.line("While an id ends with its `grafana-` and number, the annotation is recognised as that entry; a tag `ledger:<id>` does the same.");
    if !drawn.known.is_empty() {
        page.out.push('\n');
        page.line("In the ledger already:");
    }
    for known in &drawn.known {
        page.known(known);
    }
    for (list, planned) in [("maintenance", true), ("incidents", false)] {
        let mut entries = drawn.entries.iter().filter(|entry| entry.said.planned == planned).peekable();
        if entries.peek().is_none() {
            continue;
        }
        page.out += &format!("\n{list}:\n");
        page.indent = "  ";
        for entry in entries {
            page.entry(entry, head.now);
        }
        page.indent = "";
    }
    page.out
}

impl Page<'_> {
    fn known(&mut self, known: &Known) {
        let Known { origin, start, end, entry } = known;
        let times = end.map_or_else(String::new, |end| format!(" to {}", self.moment(end)));
        self.line(&format!("- {entry}: {}, {}{times}", who(origin), self.moment(*start)));
    }

    fn entry(&mut self, entry: &Entry, now: i64) {
        let Entry { origin, said, start, end, near } = entry;
        self.line(&format!("{}; tags: {}", who(origin), origin.tags.join(", ")));
        let mut lines = origin.text.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines.by_ref().take(MAX_LINES) {
            self.line(&format!("  says: {line}"));
        }
        if lines.next().is_some() {
            self.line("  says more, in Grafana");
        }
        for tag in &said.unknown {
            self.line(&format!("`{tag}` names nothing of the contract{}", self.meant(tag)));
        }
        for id in &said.entries {
            self.line(&format!("tagged as {id}, which the ledger does not have"));
        }
        for id in near {
            self.line(&format!(
                "close to {id}: if it is the same, change the times there instead, and tag this `ledger:{id}`"
            ));
        }
        if end.is_none() {
            self.line("a moment was marked, not how long it went on: write the end, or it goes on");
        }
        if !said.planned && *start > now {
            self.line("it is to come: a planned stop is an entry of `maintenance`; tag it `planned`");
        }
        self.proposed(entry);
        let functions = self.functions(entry);
        let title = title(&origin.text);
        let start_at = self.moment(*start);
        let id = format!("draft-{}-{}", start_at[..16].replace('T', "-").replace(':', ""), mark(origin.id));
        self.out += &format!("  - id: {}\n", name(&id));
        self.out += &match title {
            Some(title) => format!("    title: {{ja: {0}, en: {0}}}\n", quoted(&title)),
            None => {
                "    title: {ja: \"Grafana で記録（要記入）\", en: \"Drawn in Grafana (to be described)\"}\n".to_owned()
            }
        };
        self.out += &format!("    functions: [{functions}]\n");
        let (from, until) = if said.planned { ("start", "end") } else { ("started_at", "resolved_at") };
        self.out += if said.planned {
            "    # announced_at: when customers were told; without it nothing is excluded\n"
        } else {
            "    # cause: internal | upstream | force_majeure | false_alarm\n"
        };
        self.out += &format!("    {from}: {start_at}\n");
        self.out += &match end {
            Some(end) => format!("    {until}: {}\n", self.moment(*end)),
            None => format!("    # {until}: when it was over\n"),
        };
    }

    /// The cause that the tags propose; never given.
    fn proposed(&mut self, entry: &Entry) {
        let said = &entry.said;
        match said.causes[..] {
            [] => {}
            _ if said.planned => self.line(&format!(
                "tagged {} as well: an incident within a planned stop is an entry of its own",
                said.causes.join(", ")
            )),
            ["upstream"] => {
                let upstream = said.upstream.as_ref().map(|name| format!(", upstream: {name}")).unwrap_or_default();
                self.line(&format!("proposed: cause: upstream{upstream} — by its tags"));
            }
            [cause] => self.line(&format!("proposed: cause: {cause} — by its tags")),
            _ => self.line(&format!("its tags contradict each other: {}", said.causes.join(", "))),
        }
    }

    /// The functions that were named; the only one there is, where none was. Else none: nobody said which.
    fn functions(&mut self, entry: &Entry) -> String {
        let all: Vec<String> = self.contract.functions.iter().map(|function| name(&function.name)).collect();
        if !entry.said.functions.is_empty() {
            return entry.said.functions.iter().map(|function| name(function)).collect::<Vec<_>>().join(", ");
        }
        if let [only] = &all[..] {
            return only.clone();
        }
        self.line(&format!("no tag says which function; write one or more of: {}", all.join(", ")));
        String::new()
    }

    fn meant(&self, tag: &str) -> String {
        let names: Vec<&str> = match tag.split_once(':').map_or(tag, |(name, _)| name).trim() {
            "function" => self.contract.functions.iter().map(|function| function.name.as_str()).collect(),
            "upstream" => self.contract.upstreams.iter().map(|upstream| upstream.name.as_str()).collect(),
            _ => vec!["internal", "upstream", "force_majeure", "false_alarm", "planned"],
        };
        format!("; known: {}", crate::config::names::list(names))
    }
}

fn who(origin: &Origin) -> String {
    let by = origin.login.as_ref().map(|login| format!(" by {login}")).unwrap_or_default();
    let on = origin.dashboard.as_ref().map(|uid| format!(" on dashboard {uid}")).unwrap_or_default();
    format!("annotation {}{by}{on}", origin.id)
}

/// The first line of a text, as far as a ledger's title may go.
fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let visible: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let title: String = words.join(" ").chars().take(MAX_TITLE).collect();
    let title = title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}
