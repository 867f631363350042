//! What the last runs say about capabilities and functions: for a look, not for the contract, which counts
//! recorded slots.

use crate::app::{Health, TargetStatus};
use crate::contract::{Contract, Function};

/// A function and its capabilities as the last runs show them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FunctionState<'a> {
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    pub(super) health: Health,
    pub(super) capabilities: Vec<CapabilityState<'a>>,
}

/// A capability, and how many of its evidences are up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CapabilityState<'a> {
    pub(super) name: &'a str,
    pub(super) health: Health,
    pub(super) up: usize,
    pub(super) required: usize,
    pub(super) evidences: usize,
}

/// All functions, in the contract's order.
pub(super) fn functions<'a>(contract: &'a Contract, targets: &[TargetStatus]) -> Vec<FunctionState<'a>> {
    contract.functions.iter().map(|function| state(function, targets)).collect()
}

fn state<'a>(function: &'a Function, targets: &[TargetStatus]) -> FunctionState<'a> {
    let capabilities: Vec<_> = function
        .capabilities
        .iter()
        .map(|capability| {
            let evidence = targets.iter().filter(|target| {
                target.evidence.as_ref().is_some_and(|e| e.function == function.name && e.capability == capability.name)
            });
            let (mut evidences, mut up, mut down) = (0, 0, 0);
            for target in evidence {
                evidences += 1;
                up += usize::from(target.health == Health::Up);
                down += usize::from(target.health == Health::Down);
            }
            let required = capability.quorum.required(evidences);
            let health = match evidences {
                0 => Health::Unknown,
                _ if up >= required => Health::Up,
                // Even if all that is unknown were up, it would not be enough.
                _ if evidences - down < required => Health::Down,
                _ => Health::Unknown,
            };
            CapabilityState { name: &capability.name, health, up, required, evidences }
        })
        .collect();
    let any = |health| capabilities.iter().any(|c| c.health == health);
    let health = match () {
        () if any(Health::Down) => Health::Down,
        () if any(Health::Unknown) => Health::Unknown,
        () => Health::Up,
    };
    FunctionState { name: &function.name, title: &function.title.en, health, capabilities }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Evidence;
    use crate::contract::{Capability, Quorum, Text};

    fn function(capabilities: &[(&str, Quorum)]) -> Function {
        let capability = |(name, quorum): &(&str, Quorum)| Capability {
            name: (*name).to_owned(),
            title: Text::default(),
            quorum: *quorum,
        };
        Function {
            name: "f".to_owned(),
            title: Text::default(),
            objective: 0.99,
            maintenance_limit: None,
            capabilities: capabilities.iter().map(capability).collect(),
        }
    }

    /// `+` up, `-` down, `?` unknown, one per target of the capability.
    fn targets(of: &[(&str, &str)]) -> Vec<TargetStatus> {
        of.iter()
            .flat_map(|(capability, states)| {
                states.chars().map(|state| TargetStatus {
                    probe: "p".to_owned(),
                    target: "t".to_owned(),
                    module: "m".to_owned(),
                    evidence: Some(Evidence { function: "f".to_owned(), capability: (*capability).to_owned() }),
                    health: match state {
                        '+' => Health::Up,
                        '-' => Health::Down,
                        _ => Health::Unknown,
                    },
                    duration: None,
                    age: None,
                    failure: None,
                })
            })
            .collect()
    }

    #[test]
    fn a_capability_is_down_only_when_its_quorum_is_out_of_reach() {
        use Health::{Down, Unknown, Up};
        for (quorum, states, expected) in [
            (Quorum::All, "++", Up),
            (Quorum::All, "+-", Down),
            (Quorum::All, "+?", Unknown),
            (Quorum::All, "-?", Down),
            (Quorum::Any, "+-?", Up),
            (Quorum::Any, "--", Down),
            (Quorum::Any, "-?", Unknown),
            (Quorum::Majority, "++-", Up),
            (Quorum::Majority, "+-?", Unknown),
            (Quorum::Majority, "+--", Down),
            (Quorum::Majority, "", Unknown),
        ] {
            let function = function(&[("c", quorum)]);
            assert_eq!(state(&function, &targets(&[("c", states)])).health, expected, "{quorum:?} of {states}");
        }
    }

    #[test]
    fn a_function_needs_all_its_capabilities() {
        use Health::{Down, Unknown, Up};
        let function = function(&[("a", Quorum::All), ("b", Quorum::All)]);
        for (a, b, expected) in
            [("+", "+", Up), ("+", "-", Down), ("+", "?", Unknown), ("?", "-", Down), ("+", "", Unknown)]
        {
            assert_eq!(state(&function, &targets(&[("a", a), ("b", b)])).health, expected, "{a} {b}");
        }
    }
}
