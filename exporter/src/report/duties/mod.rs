//! The contract's duties in one month: which there are, what was watched of them, and where that comes from.
//!
//! [`kinds`] is the list, [`watch`] what five-minute verdicts came to, [`facts`] what tells that there should have been some,
//! [`collect`] asks Prometheus for them. Not for: the verdict on
//! a month (`assemble::duties`), how a duty is measured (recording-rules/duties.yml).

pub mod collect;
pub mod facts;
pub mod kinds;
pub mod watch;

pub use self::kinds::{Kind, Source};
pub use self::watch::{Stretch, Tickets, Watch, Watched};
