//! The library with real sockets on loopback, and hostile peers written in bytes.

// All of it is tests, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod app;
mod architecture;
mod availability;
mod backups;
mod certificate_files;
mod clamd;
mod config;
mod desk;
mod dns;
mod flow;
mod grafana;
mod grafana_draft;
mod grpc;
mod host;
mod hostile;
mod http;
mod http_cel;
mod http_oauth2;
mod http_proxy;
mod http_refused;
mod icmp;
mod icmp_network;
mod journald;
mod ledger;
mod ledger_months;
mod logins;
mod metrics_reference;
mod notify;
mod once;
mod postgres;
mod probe_endpoint;
mod progress;
mod prometheus_api;
mod reasons;
mod support;
mod tcp;
mod tcp_closed;
mod tls;
mod unix;
mod updates;
mod websocket;
mod whole_page;

mod binary;
mod client;
mod server;
mod status;
mod webconfig;
