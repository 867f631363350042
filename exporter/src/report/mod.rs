//! The monthly SLA report (C4.1, C4.2): the formula with its numbers, what the ledger says, and what nobody knows.
//!
//! [`command`] is the shell. [`collect`] asks Prometheus for slots; [`figures`] and [`assemble`] make the month's [`model::Report`] of
//! them, pure; renderers ([`markdown`], [`html`], [`csv`], [`json`]) turn that into a document. Not for: metrics and rules, which show the same figures while the month goes on.

pub mod archive;
pub mod assemble;
pub mod closed;
pub mod collect;
pub mod command;
pub mod csv;
pub mod duties;
pub mod figures;
pub mod html;
pub mod json;
pub mod markdown;
pub mod model;
pub(crate) mod progress;
pub mod rounding;
pub mod slots;
pub mod words;

#[cfg(test)]
pub(crate) mod golden;
#[cfg(test)]
pub(crate) mod sample;
