//! Panels and queries that find nothing in the demo, each with the reason.

/// Dashboard, panel (the English half of its title) or annotation, refId or `*` for all of the panel's, and why.
pub(super) const ALLOWED: &[(&str, &str, &str, &str)] = &[
    ("sla-overview", "Availability to date", "B", "the demo keeps its objective in the month that goes on"),
    ("sla-month", "Maintenance", "*", "there may be none in the month that goes on"),
    ("sla-month", "Incidents", "*", "there may be none in the month that goes on, and none in the year's other months"),
    ("sla-month", "Windows of the ledger", "*", "there may be none in the month that goes on"),
    ("sla-function", "Certificates", "*", "the demo's service speaks plain HTTP"),
    ("sla-exporter", "Notifications", "A", "Alertmanager has sent none in the seconds the stack is up"),
    ("sla-hosts", "When disks will be full", "C", "a forecast needs six hours of data, and disks have no history"),
    ("sla-hosts", "When disks will be full", "D", "a forecast needs six hours of data, and disks have no history"),
    ("sla-hosts", "When disks will be full", "E", "a forecast needs six hours of data, and disks have no history"),
    ("sla-hosts", "Redundancy groups", "*", "the demo is one machine, and nothing stands in for it"),
    ("sla-hosts", "Required checks not measured", "*", "all that the demo requires is measured"),
    ("sla-hosts", "Software RAID", "*", "the machine of the demo may have none"),
    ("sla-duties", "What broke them", "*", "nothing is broken in the demo's month"),
    ("sla-duties", "What was not measured", "*", "all that the demo configures is measured"),
    ("sla-operations", "Backups", "*", "the demo has nothing to back up"),
    ("sla-operations", "Next deadline", "*", "nobody waits for an answer in the demo on a day without inquiries"),
    ("sla-operations", "Next renewal", "*", "the demo issues no certificates"),
    ("sla-operations", "Failed logins", "*", "the demo reads no log of the host it runs on"),
    ("sla-operations", "Notices sent", "*", "the demo's customers were told before its start"),
    ("sla-operations", "Certificates that probes saw", "*", "the demo service has none: it speaks plain HTTP"),
    ("sla-probes", "Failing or unmeasured now", "*", "nothing fails when the demo starts"),
    ("sla-probes", "Ping loss", "*", "the demo pings only where its user may"),
    ("sla-probes", "Ping round trip", "*", "the demo pings only where its user may"),
];

/// Whether `title` is that of the panel called `panel`.
pub(super) fn is(title: &str, panel: &str) -> bool {
    title.split(" / ").next() == Some(panel)
}

/// Why it may be empty. Without a query: the panel as a whole, on opening the dashboard.
pub(super) fn reason(uid: &str, title: &str, query: Option<&str>) -> Option<&'static str> {
    let found = ALLOWED.iter().find(|(of, panel, which, _)| {
        *of == uid && is(title, panel) && (*which == "*" || query.is_some_and(|query| query == *which))
    });
    found.map(|(.., reason)| *reason)
}
