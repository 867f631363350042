//! A mail catcher: a real SMTP receiver that keeps what arrives and shows it on a page.
//!
//! Bounded: the last 500 mails, 1 MiB each. Delivers to nobody.

mod pages;
mod smtp;
mod store;

pub use self::pages::Catcher;
pub use self::smtp::receive;
pub use self::store::{Mail, Store};
