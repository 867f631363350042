//! `probe`: one probe, now, for a person who wants to know why it fails.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::prometheus::timeout;

/// Ends the long help; the codes are an interface.
const EXIT_CODES: &str = "\
Without --module:
  a probe's name, or a target that a probe of the configuration has   as that probe does it
  https://… or http://…                                               http, built in
  wss://… or ws://…                                                   websocket, built in
  /path/of/a.socket or @name                                          unix, built in
  HOST:PORT                                                           tcp, built in
  anything else                                                       icmp, built in

Built in are http (http_2xx), tcp (tcp_connect), tls, unix, websocket, grpc, grpc_tls, clamd and icmp (ping), with the
defaults of their options. What a DNS, PostgreSQL or flow probe asks is said in a configuration.

Colours are for a terminal; NO_COLOR=1 turns them off, CLICOLOR_FORCE=1 on.

Exit codes:
  0  the probe succeeded; of several, all did
  1  it failed
  2  none was made: wrong usage, an unknown module, a configuration that is refused";

/// `probe TARGET`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 success, 1 failure, 2 not probed. More with --help.", after_long_help = EXIT_CODES)]
pub struct ProbeFlags {
    /// What to probe, as the module wants it: a URL, HOST:PORT, a host, a socket's path; or the name of a probe in the configuration
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// How: a module of the configuration, or a built-in one; without it, the target tells
    #[arg(long, short, value_name = "MODULE")]
    pub module: Option<String>,
    /// Configuration file with modules and probes; none is needed for built-in modules
    #[arg(long = "config.file", value_name = "FILE", env = "SLA_EXPORTER_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Who is meant behind the target's address: Host header and name in the certificate
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,
    /// How long it may take; otherwise the probe's own timeout, or the module's, or 10s
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,
    /// Write one JSON object a line for each target, instead of text
    #[arg(long)]
    pub json: bool,
}
