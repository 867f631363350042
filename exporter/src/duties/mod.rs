//! What the measuring of duties has in common: work that may be slow, and so is done in the background, never within a scrape.

pub mod background;
pub(crate) mod child;
pub(crate) mod files;
