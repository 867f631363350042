//! Business days and hours (C3.2, C3.4): when somebody is there, and by when an answer is due.
//!
//! Pure: the zone and the time are parameters. Not for tickets, and not for the contract's months (`calendar`), which
//! know no closing time.

pub mod hours;
pub mod japan;

pub use hours::{Calendar, Closed, DayEnd, Holidays, Shift};
