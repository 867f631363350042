//! What tells that a duty without verdicts was to be measured all the same: metrics that its configuration makes by itself.
//!
//! A duty of which Prometheus has neither was not configured; one that has facts and no verdict was not recorded. Who reads the
//! report is told which, and what to do. Not for: verdicts (recording-rules/duties.yml).

use crate::prometheus_api::quoted;

/// What makes one duty measured.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The duty.
    pub duty: &'static str,
    /// What of sla.yml does.
    pub setting: &'static str,
    /// A query that has an answer where that is there; `@` stands for the contract's label.
    promql: &'static str,
}

const fn facts(duty: &'static str, setting: &'static str, promql: &'static str) -> Facts {
    Facts { duty, setting, promql }
}

/// Of every duty that recording rules watch.
pub const FACTS: &[Facts] = &[
    facts("monitoring", "hosts", "sla_host_info{@}"),
    facts(
        "redundancy",
        "hosts[].redundancy_group",
        // A group of one has nothing to lose.
        "count by (redundancy_group) (count by (redundancy_group, host) (sla_host_info{@,redundancy_group!=\"\"})) > 1 \
         or node_md_disks_required{host!=\"\"} and on (host) sla_host_info{@}",
    ),
    facts("backups", "backups", "sla_backup_max_age_seconds{@}"),
    facts("restore_drills", "restore_drills", "sla_restore_drill_interval_seconds{@}"),
    facts("closed_ports", "tcp: {expect: closed}", "probe_expectation_info{@,expect=\"closed\"}"),
    facts("encryption", "http: {fail_if_not_ssl: true}", "probe_ssl_earliest_cert_expiry{@}"),
    facts("virus_check", "prober: clamd", "probe_clamd_signature_max_age_seconds{@}"),
    facts("authentication", "http: {expect: refused}", "probe_expectation_info{@,expect=\"refused\"}"),
    facts("client_certificates", "certificates", "sla_certificate_renew_before_seconds{@}"),
    facts("security_events", "logins", "sla_login_book_ok{@}"),
    facts("security_updates", "updates", "sla_updates_lists_max_age_seconds{@}"),
    facts("answers", "support.tickets", "sla_support_tickets_success{@}"),
];

/// What of sla.yml makes a duty measured; empty for those that nothing does.
#[must_use]
pub fn setting(duty: &str) -> &'static str {
    FACTS.iter().find(|facts| facts.duty == duty).map_or("", |facts| facts.setting)
}

/// A query for the duties of `wanted` that are configured, by `duty`; `None` where there is nothing to ask.
#[must_use]
pub fn query(contract: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let label = format!("contract={}", quoted(contract));
    let one = |facts: &Facts| {
        let found = facts.promql.replace('@', &label);
        format!("label_replace(count({found}), \"duty\", \"{}\", \"\", \"\")", facts.duty)
    };
    let all: Vec<String> = FACTS.iter().filter(|facts| wanted(facts.duty)).map(one).collect();
    (!all.is_empty()).then(|| all.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::duties::kinds::KINDS;

    #[test]
    fn every_duty_that_is_watched_says_what_makes_it_so_in_documented_words() {
        let watched: Vec<&str> = KINDS.iter().filter(|kind| kind.source.is_watched()).map(|kind| kind.name).collect();
        assert_eq!(FACTS.iter().map(|facts| facts.duty).collect::<Vec<_>>(), watched);
        let metrics = include_str!("../../../../docs/metrics.md");
        let docs = [
            include_str!("../../../../docs/configuration.md"),
            include_str!("../../../../docs/modules/http.md"),
            include_str!("../../../../docs/modules/tcp.md"),
        ];
        for facts in FACTS {
            for word in facts.promql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                if ["sla_", "probe_", "node_"].iter().any(|start| word.starts_with(start)) {
                    assert!(metrics.contains(&format!("| `{word}` |")), "{word}");
                }
            }
            for key in facts.setting.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|key| key.len() > 4)
            {
                assert!(docs.iter().any(|text| text.contains(key)), "{key}");
            }
        }
    }

    /// Its panel of what is not measured at all tells the same two apart.
    #[test]
    fn the_dashboard_asks_for_the_same() {
        let dashboard: serde_json::Value =
            serde_json::from_str(include_str!("../../../../dashboards/sla-duties.json")).unwrap();
        let mut panels = dashboard["panels"].as_array().unwrap().iter();
        let panel = panels.find(|panel| panel["title"].as_str().unwrap().starts_with("Nothing measured")).unwrap();
        let asked = panel["targets"][0]["expr"].as_str().unwrap().replace(" or\n", " or ");
        assert!(asked.contains(&query("$contract", |_| true).unwrap()), "{asked}");
        for facts in FACTS {
            assert!(asked.contains(&format!("label_replace(vector(1), \"duty\", \"{}\", ", facts.duty)), "{asked}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_asked_for_and_a_contracts_name_ends_no_string() {
        assert_eq!(query("c", |_| false), None);
        let one = query("a\"b", |duty| duty == "backups").unwrap();
        assert_eq!(
            one,
            r#"label_replace(count(sla_backup_max_age_seconds{contract="a\"b"}), "duty", "backups", "", "")"#
        );
        assert_eq!(query("c", |_| true).unwrap().matches("label_replace").count(), FACTS.len());
    }
}
