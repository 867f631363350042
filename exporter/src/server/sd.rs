//! `/sd`: the inventory's exporters in Prometheus' `http_sd` format.
//!
//! `host` comes as a label of the target; what relabelling may want to use comes as `__meta_sla_*`.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;

use super::reply;
use crate::config::Config;

#[derive(Debug, Serialize)]
struct Group<'a> {
    targets: [&'a str; 1],
    labels: BTreeMap<&'static str, &'a str>,
}

/// The full list; hosts without an exporter have nothing to scrape.
pub(super) fn serve(config: &Config) -> reply::Reply {
    match serde_json::to_vec(&groups(config)) {
        Ok(content) => reply::with_type(StatusCode::OK, "application/json", content),
        Err(error) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("inventory not written: {error}")),
    }
}

fn groups(config: &Config) -> Vec<Group<'_>> {
    config
        .hosts
        .iter()
        .filter_map(|host| {
            let mut labels = BTreeMap::from([
                ("host", host.name.as_str()),
                ("__meta_sla_host", host.name.as_str()),
                ("__meta_sla_address", host.address.as_str()),
                ("__meta_sla_contract", config.contract.name.as_str()),
                ("__meta_sla_site", config.site.as_str()),
            ]);
            // Absent rather than empty: Prometheus reads an empty label as none anyway.
            labels.extend(host.role.as_deref().map(|role| ("__meta_sla_role", role)));
            labels.extend(host.redundancy_group.as_deref().map(|group| ("__meta_sla_redundancy_group", group)));
            Some(Group { targets: [host.exporter.as_deref()?], labels })
        })
        .collect()
}
