//! The binary: see `sla_exporter` for everything it does.
fn main() {}
