//! The report as one HTML file that needs nothing else: no script, no style sheet, font or picture from elsewhere.
//!
//! Pure: a [`Report`](super::model::Report) in, a document out. Not for: what figures are (`figures`), how they are rounded
//! (`rounding`).

pub mod picture;
