//! The support desk (chapter 3 of the contract): is somebody there, and were inquiries answered in time.
//!
//! Pure: [`ticket`], [`figures`], [`settled`]. Shell: `csv` and `postgres` read tickets, `desk` does so in the background, `metrics`
//! shows what it found. Not for: the business calendar itself (`business`), and nothing of what an inquiry says or who sent
//! it is ever read.

mod csv;
mod desk;
pub mod figures;
mod metrics;
mod postgres;
mod settings;
pub mod settled;
pub mod ticket;

pub use self::desk::run;
pub use self::metrics::SupportMetrics;
pub use self::settings::{Columns, CsvFile, Encoding, PostgresQuery, Source, Support, Tickets};
