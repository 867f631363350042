//! The contract, thresholds and inventory as metrics: rules and dashboards read them instead of numbers typed in.
//!
//! Pure: the same configuration always yields the same families. Not for: months and the ledger.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::exposition::{Kind, Page};

/// Writes all families of `config`.
pub fn write(config: &Config, page: &mut Page) {
    let contract = config.contract.name.as_str();
    let evidence = evidence(config);

    page.family(
        "sla_objective_ratio",
        "Promised share of a calendar month the function is available (C4.1, C4.2).",
        Kind::Gauge,
    );
    for function in &config.contract.functions {
        page.sample(&[("contract", contract), ("function", &function.name)], function.objective);
    }

    page.family(
        "sla_function_capabilities",
        "How many capabilities must be measured and up for the function to be up.",
        Kind::Gauge,
    );
    for function in &config.contract.functions {
        let count = function.capabilities.len() as f64;
        page.sample(&[("contract", contract), ("function", &function.name)], count);
    }

    let each_capability =
        || config.contract.functions.iter().flat_map(|f| f.capabilities.iter().map(move |c| (f.name.as_str(), c)));
    page.family(
        "sla_capability_quorum_ratio",
        "Share of a capability's evidence that must be up, lowered by 1e-9 for rounding in averages.",
        Kind::Gauge,
    );
    for (function, capability) in each_capability() {
        let count = evidence.get(&(function, capability.name.as_str())).copied().unwrap_or(0);
        let labels = [("contract", contract), ("function", function), ("capability", &capability.name)];
        page.sample(&labels, capability.quorum.ratio(count));
    }
    page.family(
        "sla_capability_evidence",
        "How many targets of this site are evidence for the capability, measured or not.",
        Kind::Gauge,
    );
    for (function, capability) in each_capability() {
        let count = evidence.get(&(function, capability.name.as_str())).copied().unwrap_or(0);
        let labels =
            [("contract", contract), ("site", &config.site), ("function", function), ("capability", &capability.name)];
        page.sample(&labels, count as f64);
    }

    if let Some(start) = config.contract.start
        && let Ok(start) = start.to_zoned(config.contract.timezone.clone())
    {
        page.family(
            "sla_contract_start_timestamp_seconds",
            "Start of the contract, in seconds since the epoch: nothing before it is called unmeasured.",
            Kind::Gauge,
        );
        page.sample(&[("contract", contract)], start.timestamp().as_second() as f64);
    }

    if config.roles.iter().any(|role| !role.thresholds.is_empty()) {
        page.family(
            "sla_threshold",
            "Threshold of a check for devices of a role, in the check's own unit (C2.1).",
            Kind::Gauge,
        );
        for role in &config.roles {
            for (check, value) in &role.thresholds {
                page.sample(&[("contract", contract), ("role", &role.name), ("check", check)], *value);
            }
        }
    }

    if !config.hosts.is_empty() {
        page.family("sla_host_info", "A device of the inventory; always 1 (C2.1).", Kind::Gauge);
        for host in &config.hosts {
            let role = host.role.as_deref().unwrap_or_default();
            let group = host.redundancy_group.as_deref().unwrap_or_default();
            let labels =
                [("contract", contract), ("host", host.name.as_str()), ("role", role), ("redundancy_group", group)];
            page.sample(&labels, 1.0);
        }
    }
    host_limits(config, page);
    host_checks(config, page);
}

/// Limits of single devices, in place of their role's.
fn host_limits(config: &Config, page: &mut Page) {
    let contract = config.contract.name.as_str();
    if config.hosts.iter().any(|host| !host.thresholds.is_empty()) {
        page.family(
            "sla_host_threshold",
            "Threshold of a check for this device in place of its role's, in the check's own unit (C2.1).",
            Kind::Gauge,
        );
        for host in &config.hosts {
            for (check, value) in &host.thresholds {
                page.sample(&[("contract", contract), ("host", &host.name), ("check", check)], *value);
            }
        }
    }
}

/// What must be measured of each device, and by which probes.
fn host_checks(config: &Config, page: &mut Page) {
    let contract = config.contract.name.as_str();
    if config.hosts.iter().any(|host| !host.require.is_empty()) {
        page.family(
            "sla_host_check_required",
            "A check that must be measured of a device; always 1 (C2.1).",
            Kind::Gauge,
        );
        for host in &config.hosts {
            let role = host.role.as_deref().unwrap_or_default();
            for check in &host.require {
                page.sample(&[("contract", contract), ("host", &host.name), ("role", role), ("check", check)], 1.0);
            }
        }
    }

    // Several targets of one probe may be of one device.
    let probes: BTreeSet<_> = config
        .targets
        .iter()
        .filter_map(|target| Some((target.host.as_deref()?, target.probe.as_str(), target.module.prober.check())))
        .collect();
    if !probes.is_empty() {
        page.family(
            "sla_host_check_probe_info",
            "Which check of a device a probe of this site measures; always 1 (C2.1).",
            Kind::Gauge,
        );
        for (host, probe, check) in probes {
            let labels =
                [("contract", contract), ("site", &config.site), ("host", host), ("probe", probe), ("check", check)];
            page.sample(&labels, 1.0);
        }
    }
}

/// Targets per function and capability.
fn evidence(config: &Config) -> BTreeMap<(&str, &str), usize> {
    let mut counts = BTreeMap::new();
    for evidence in config.targets.iter().filter_map(|target| target.evidence.as_ref()) {
        *counts.entry((evidence.function.as_str(), evidence.capability.as_str())).or_insert(0) += 1;
    }
    counts
}
