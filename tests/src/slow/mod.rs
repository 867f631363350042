//! The contract's month, calculated slowly: second by second and slot by slot, from the decisions written in
//! docs/rules.md, to compare the product with.
//!
//! Shares no code with the exporter: months come from another library's zones, the ledger's windows are painted onto an
//! array with one element a second, slots are looked at one by one. Not for: being quick.

mod count;
mod ledger;
mod page;
mod random;
mod zone;

pub use self::count::{Figures, Month, Slot};
pub use self::ledger::{Cause, Entry, Kind, Reason, Window};
pub use self::page::{Contract, Function, Line, OBJECTIVE};
pub use self::random::{Beat, slots};
pub use self::zone::{MonthSpan, month_of, two_months};
