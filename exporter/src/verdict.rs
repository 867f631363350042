//! Whether each function is up now, from the last results of this site's probes: what recording-rules/slots.yml says of
//! all sites together, with the same quorum and the same unknown.
//!
//! Pure. For what must not wait for Prometheus: whether a maintenance is over, the status page without a Prometheus.
//! Not for: slots, figures, alerts.

use crate::config::Evidence;
use crate::contract::{Capability, Contract, Function};

/// What one probe target last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// What it is evidence for, if for anything.
    pub evidence: Option<&'a Evidence>,
    /// One of `contract.connectivity`.
    pub reference: bool,
    /// Up, down, or nothing lately.
    pub up: Option<bool>,
}

/// Each function of `contract` in its order: up, down, or unknown.
#[must_use]
pub fn functions<'a>(contract: &'a Contract, said: &[Said<'_>]) -> Vec<(&'a Function, Option<bool>)> {
    let mut references = said.iter().filter(|said| said.reference).filter_map(|said| said.up).peekable();
    // All that is known of the outside is that nothing answers: then what is said of the service means nothing.
    let cut_off = references.peek().is_some() && references.all(|up| !up);
    contract
        .functions
        .iter()
        .map(|function| {
            let verdict = if cut_off { None } else { of_function(function, said) };
            (function, verdict)
        })
        .collect()
}

fn of_function(function: &Function, said: &[Said<'_>]) -> Option<bool> {
    let each: Vec<Option<bool>> = function
        .capabilities
        .iter()
        .map(|capability| {
            let is_for = |e: &Evidence| e.function == function.name && e.capability == capability.name;
            of_capability(capability, said.iter().filter(|said| said.evidence.is_some_and(is_for)))
        })
        .collect();
    // Down beats unknown, unknown beats up.
    if each.contains(&Some(false)) {
        return Some(false);
    }
    each.iter().all(|up| *up == Some(true)).then_some(true)
}

fn of_capability<'a>(capability: &Capability, evidence: impl Iterator<Item = &'a Said<'a>>) -> Option<bool> {
    let (mut up, mut unknown, mut all) = (0, 0, 0);
    for said in evidence {
        all += 1;
        match said.up {
            Some(true) => up += 1,
            Some(false) => {}
            None => unknown += 1,
        }
    }
    let required = capability.quorum.required(all);
    match () {
        () if all == 0 => None,
        () if up >= required => Some(true),
        () if up + unknown < required => Some(false),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::contract::{MaintenanceTerms, Quorum, Text};

    const UP: Option<bool> = Some(true);
    const DOWN: Option<bool> = Some(false);

    fn contract() -> Contract {
        let capability = |name: &str, quorum| Capability { name: name.to_owned(), title: Text::default(), quorum };
        Contract {
            name: "c".to_owned(),
            title: Text::default(),
            timezone: TimeZone::UTC,
            timezone_name: "UTC".to_owned(),
            start: None,
            maintenance: MaintenanceTerms { notice: std::time::Duration::ZERO, slot: None },
            functions: vec![Function {
                name: "f".to_owned(),
                title: Text::default(),
                objective: 0.99,
                maintenance_limit: None,
                capabilities: vec![capability("a", Quorum::All), capability("b", Quorum::Majority)],
            }],
            upstreams: Vec::new(),
            connectivity: Vec::new(),
            duties: Vec::new(),
        }
    }

    #[track_caller]
    fn check(a: &[Option<bool>], b: &[Option<bool>], references: &[Option<bool>], expected: Option<bool>) {
        let evidence = ["a", "b"].map(|c| Evidence { function: "f".to_owned(), capability: c.to_owned() });
        let says = |list: &[Option<bool>], evidence, reference| -> Vec<Said<'_>> {
            list.iter().map(|&up| Said { evidence, reference, up }).collect()
        };
        let said =
            [says(a, Some(&evidence[0]), false), says(b, Some(&evidence[1]), false), says(references, None, true)]
                .concat();
        let contract = contract();
        assert_eq!(functions(&contract, &said)[0].1, expected, "{a:?} {b:?} {references:?}");
    }

    #[test]
    fn a_function_is_up_when_all_its_capabilities_are_and_unknown_is_not_up() {
        check(&[UP], &[UP, UP, DOWN], &[], UP);
        check(&[UP], &[UP, DOWN, DOWN], &[], DOWN);
        check(&[DOWN], &[None, None, None], &[], DOWN);
        check(&[UP], &[UP, None, DOWN], &[], None);
        check(&[UP], &[UP, UP, None], &[], UP);
        check(&[UP], &[None, DOWN, DOWN], &[], DOWN);
        check(&[None], &[UP, UP, UP], &[], None);
        check(&[UP], &[], &[], None);
    }

    #[test]
    fn a_site_that_is_cut_off_knows_nothing() {
        check(&[DOWN], &[DOWN], &[DOWN, DOWN], None);
        check(&[DOWN], &[DOWN], &[DOWN, UP], DOWN);
        check(&[DOWN], &[DOWN], &[DOWN, None], None);
        // Not measured yet: no reason to doubt.
        check(&[DOWN], &[DOWN], &[None, None], DOWN);
    }
}
