//! What the tags of a drawn annotation say: function, cause, upstream, or which entry of the ledger it is.

use crate::contract::Contract;

/// Tags that are looked at; Grafana keeps 500 bytes of them.
const MAX_TAGS: usize = 64;
/// Words that are causes of incidents.
const CAUSES: [&str; 4] = ["internal", "upstream", "force_majeure", "false_alarm"];

/// What the tags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Functions of the contract, each once, in its order.
    pub(crate) functions: Vec<String>,
    /// A planned stop: an entry of `maintenance`.
    pub(crate) planned: bool,
    /// Causes of an incident, each once; several contradict each other.
    pub(crate) causes: Vec<&'static str>,
    /// An upstream of the contract.
    pub(crate) upstream: Option<String>,
    /// Ids of entries it is said to be.
    pub(crate) entries: Vec<String>,
    /// Tags that name what the contract does not have.
    pub(crate) unknown: Vec<String>,
}

/// Reads `function:…`, `upstream:…`, `ledger:…`, a cause alone or as `cause:…`, `planned`. Others are somebody's own.
pub(crate) fn read(tags: &[String], contract: &Contract) -> Said {
    let mut said = Said::default();
    for tag in tags.iter().take(MAX_TAGS) {
        let (name, value) =
            tag.split_once(':').map_or((tag.trim(), None), |(name, value)| (name.trim(), Some(value.trim())));
        let known = match (name, value) {
            ("function", Some(name)) => {
                said.functions.push(name.to_owned());
                contract.functions.iter().any(|function| function.name == name)
            }
            ("upstream", Some(name)) => {
                said.cause("upstream");
                let known = contract.upstreams.iter().any(|upstream| upstream.name == name);
                if known {
                    said.upstream = Some(name.to_owned());
                }
                known
            }
            ("cause", Some(word)) => said.word(word),
            ("ledger" | "window", Some(id)) => {
                said.entries.push(id.to_owned());
                true
            }
            (word, None) => {
                said.word(word);
                true
            }
            _ => true,
        };
        if !known {
            said.unknown.push(tag.clone());
        }
    }
    let named = std::mem::take(&mut said.functions);
    let functions = contract.functions.iter().map(|function| &function.name);
    said.functions = functions.filter(|name| named.contains(name)).cloned().collect();
    said
}

impl Said {
    /// Takes a word that is a cause, or `planned`; returns whether it is.
    fn word(&mut self, word: &str) -> bool {
        if word == "planned" {
            self.planned = true;
            return true;
        }
        CAUSES.iter().find(|cause| **cause == word).is_some_and(|cause| {
            self.cause(cause);
            true
        })
    }

    fn cause(&mut self, cause: &'static str) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }
}
