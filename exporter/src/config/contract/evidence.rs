//! What `evidence: function/capability` may name, and which capabilities nothing is evidence for.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use crate::config::Evidence;
use crate::config::decode::Cursor;
use crate::config::diagnostics::{Document, Severity};
use crate::config::names;
use crate::config::node::{Mark, Value};

/// Every function and capability that was given a name, also those whose settings were refused: probes are not blamed
/// for that.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, HashMap<String, Named>>);

/// A capability's place, and how many probes are evidence for it.
struct Named {
    mark: Mark,
    path: String,
    evidence: Cell<usize>,
}

impl Names {
    /// The capability that `function/capability` names; counts the evidence for it.
    pub(super) fn find(&self, cursor: &Cursor<'_>) -> Option<Evidence> {
        let text = cursor.string()?;
        let Some((function, capability)) = text.split_once('/') else {
            return cursor.error(format_args!(
                "`{}` does not name a capability; write `function/capability`{}",
                names::shorten(&text),
                self.example()
            ));
        };
        let functions = &self.0;
        let Some(capabilities) = functions.get(function) else {
            return cursor.error(names::unknown("function", function, functions.keys().map(String::as_str)));
        };
        let Some(named) = capabilities.get(capability) else {
            let mut known: Vec<&str> = capabilities.keys().map(String::as_str).collect();
            known.sort_unstable();
            return cursor.error(format_args!(
                "function `{}` has no capability `{}`; it has {}{}",
                names::shorten(function),
                names::shorten(capability),
                names::list(known.iter().copied()),
                names::did_you_mean(capability, known.iter().copied())
            ));
        };
        named.evidence.set(named.evidence.get() + 1);
        Some(Evidence { function: function.to_owned(), capability: capability.to_owned() })
    }

    /// `, such as `client/web_app``, when there is one.
    fn example(&self) -> String {
        let first = self.0.iter().find_map(|(f, all)| Some((f, all.keys().min()?)));
        first.map_or_else(String::new, |(function, capability)| {
            format!(", for example `{}/{}`", names::shorten(function), names::shorten(capability))
        })
    }

    /// A capability nothing proves leaves its function unmeasured for good.
    pub(super) fn warn_of_missing(&self, doc: &Document) {
        for (function, capabilities) in self.0.iter() {
            for (capability, named) in capabilities.iter().filter(|(_, named)| named.evidence.get() == 0) {
                doc.report(
                    Severity::Warning,
                    named.mark,
                    &named.path,
                    format_args!(
                        "no probe here is evidence for `{function}/{capability}`; function `{function}` stays unmeasured unless another site has one"
                    ),
                );
            }
        }
    }
}

/// The names under `functions`, read without complaint: their readers have complained.
pub(super) fn given(functions: &Cursor<'_>) -> Names {
    let entries = |value: &Value| match value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let mut names = BTreeMap::new();
    for function in entries(&functions.node().value) {
        let path = format!("{}.{}.capabilities", functions.path(), names::shorten(&function.key));
        let capabilities = entries(&function.node.value).into_iter().find(|entry| entry.key == "capabilities");
        let capabilities = capabilities.map(|entry| entries(&entry.node.value)).unwrap_or_default();
        let named = capabilities.into_iter().map(|c| {
            let path = format!("{path}.{}", names::shorten(&c.key));
            (c.key, Named { mark: c.key_mark, path, evidence: Cell::new(0) })
        });
        names.insert(function.key, named.collect());
    }
    Names(names)
}
