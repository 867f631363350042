//! `ledger draft`: measured downtime nobody has explained, as ledger entries to complete (C4.1.2).
//!
//! A draft says what was seen: when, which functions, which probes failed and why, whether an upstream failed at the same
//! time. It proposes and never decides: a cause is in comments only, and an entry without one changes no figure.
//! [`proposals`] and [`yaml`] are pure; [`evidence`] and [`command`] ask Prometheus. Not for: what entries do (`windows`).

pub mod command;
mod evidence;
mod proposals;
mod yaml;

pub use self::evidence::{Evidence, Failing, UpstreamSeen};
pub use self::proposals::{Draft, Proposal, Remark, proposals};
pub use self::yaml::write;

#[cfg(test)]
mod tests;
