//! The probers beside Debian's blackbox_exporter: the same module text, the same targets, the same success, names and labels of
//! metrics, and the same values but for measured times. What differs is listed in docs/blackbox.md, with the reason; a
//! difference that is not listed fails, and so does one that is listed and does not occur.

mod differences;
mod exporters;
mod pki;
mod servers;

mod debug;
mod dns;
mod grpc;
mod http;
mod http_proxy;
mod icmp;
mod login;
mod newer;
mod switch;
mod tcp;
mod tls;

use exporters::{Beside, Exporter};
