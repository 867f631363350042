//! What is broken, and how.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!(concat!("unknown ", $what, "; accepted: {}\n"), [$($word),+].join(", "))),
                }
            }
        }
    };
}

words! {
    /// Something the service can do.
    Capability, "capability" {
        /// Log in and see the application.
        WebApp = "web_app",
        /// Send the form and read it back.
        WebForm = "web_form",
        /// Follow a link that counts.
        ClickCount = "click_count",
        /// None of the service's own: stands for the upstream platform, whose failures are not the service's (C4.1ii).
        Sfdc = "sfdc",
    }
}

words! {
    /// How a capability behaves.
    Mode, "mode" {
        /// As it should.
        Works = "works",
        /// Answers 500.
        Error = "error",
        /// Answers after four seconds.
        Slow = "slow",
        /// Takes the request and does not answer.
        Hang = "hang",
        /// Closes the connection.
        Close = "close",
        /// Answers 200 with an empty page.
        Empty = "empty",
    }
}

/// The modes of all capabilities.
#[derive(Debug)]
pub struct Switches(Mutex<[Mode; Capability::ALL.len()]>);

impl Default for Switches {
    fn default() -> Self {
        Self(Mutex::new([Mode::Works; Capability::ALL.len()]))
    }
}

impl Switches {
    /// How `capability` behaves now.
    #[must_use]
    pub fn mode(&self, capability: Capability) -> Mode {
        let modes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        modes.get(capability as usize).copied().unwrap_or(Mode::Works)
    }

    /// Breaks or fixes it.
    pub fn set(&self, capability: Capability, mode: Mode) {
        let mut modes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = modes.get_mut(capability as usize) {
            *slot = mode;
        }
    }
}
