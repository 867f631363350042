//! `ledger draft`: measured downtime nobody has explained, as ledger entries to complete (C4.1.2).
//!
//! A draft says what was seen: when, which functions, which probes failed and why, whether an upstream failed at the same
//! time. It proposes and never decides: a cause is in comments only, and an entry without one changes no figure.
//! `drawn` makes entries of what people drew in Grafana instead. `stretches`, `proposals`, `evidence`, `seen`, `drawn`, `scalar` and `yaml` are
//! pure; `ask` asks Prometheus, and [`command`] that or Grafana. Not
//! for: which slots are unexplained (`report`), what entries do (`windows`).

mod ask;
pub mod command;
mod drawn;
mod evidence;
mod proposals;
mod scalar;
mod seen;
mod stretches;
mod yaml;

pub use self::evidence::{Evidence, Failing, Listed, What};
pub use self::proposals::{AGREE, APART, Draft, Part, Proposal, Remark, proposals};
pub use self::stretches::State;
pub use self::yaml::{Head, write};

#[cfg(test)]
mod tests;
