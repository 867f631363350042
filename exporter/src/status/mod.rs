//! The status page (C2.2a): what customers may know of how the service is, was, and will be.
//!
//! [`page`] is the model, pure, and the only door from configuration to customers: it holds titles, times and texts written
//! for them, and nothing of probes, targets, files, rulings or ids. Documents are made of it alone: [`html`], [`feed`],
//! [`summary`], [`calendar_file`], [`badge`]. The shell: [`refresh`] asks Prometheus in the background, [`board`] keeps what
//! it said and what was rendered last, [`command`] writes a static site. Not for: what the figures are (`report`), mails
//! (`notices`), the page for operators (`server::landing`).

pub mod entries;
pub mod history;
pub mod identity;
pub mod page;
pub mod state;

pub mod badge;
pub mod calendar_file;
pub mod document;
pub mod feed;
pub mod html;
pub mod summary;
pub mod words;

pub mod board;
pub mod command;
pub mod refresh;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
