//! End-to-end tests: the binary with the real programs around it. One binary; each module is a subject.

// All of it is tests, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod blackbox_exporter;
mod clauses;
mod closing;
mod compose;
mod dashboards;
mod demo;
mod documents;
mod draft;
mod end_to_end;
mod flows;
mod history;
mod latency;
mod mails;
mod maintenance;
mod make_run;
mod months;
mod node_exporter;
mod printed;
mod prometheus_api;
mod promql;
mod report;
mod routing;
mod rules;
mod sites;
mod stack;
mod status;
mod told;
