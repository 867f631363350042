//! One attempt counts once, however many lines tell of it.
//!
//! sshd says that there is no such user, that the password is wrong, and that the client went: one attempt. Each of these
//! *kinds* of line comes at most once for an attempt, so of one connection the kind with most lines tells how many attempts
//! there were. Pure; bounded. Not for: reading lines.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::classify::Said;
use super::kinds::System;

/// Connections that are remembered at once: those of a flood, for as long as their lines can be apart.
const MAX: usize = 8192;
/// Kinds of lines of one service.
const KINDS: usize = 8;
/// Lines about one attempt are not further apart than this, in seconds; after it the number is another process.
const APART: i64 = 3600;

/// What is known of connections that are not long gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    known: BTreeMap<u64, Known>,
    /// Keys by age, oldest first.
    order: VecDeque<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// When it was heard of last, in seconds since the epoch.
    at: i64,
    /// Attempts, by kind of line.
    kinds: [u64; KINDS],
    /// Whether keys were refused.
    keys: bool,
}

impl Once {
    /// How many attempts `said`, by the process of this number, adds at `now` to those known, and whether keys were refused.
    pub fn add(&mut self, said: &Said<'_>, process: Option<u32>, now: i64) -> (u64, bool) {
        // sudo says one line for all. Without a process nothing ties lines together.
        let Some(process) = process.filter(|_| said.system != System::Sudo) else { return (said.count, false) };
        let key = key(said.system, process);
        if self.known.get(&key).is_some_and(|known| now - known.at > APART) {
            self.forget(said.system, process);
        }
        if !self.known.contains_key(&key) {
            if self.order.len() >= MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(key);
        }
        let known = self.known.entry(key).or_default();
        known.at = now;
        let before = known.kinds.iter().copied().max().unwrap_or_default();
        if let Some(kind) = known.kinds.get_mut(usize::from(said.kind)) {
            *kind = kind.saturating_add(said.count);
        }
        known.keys |= said.count == 0;
        let after = known.kinds.iter().copied().max().unwrap_or_default();
        let keys = known.keys;
        if said.last {
            self.forget(said.system, process);
        }
        (after.saturating_sub(before), keys)
    }

    /// Somebody came in, or the connection ended: what follows under this number is another matter.
    pub fn forget(&mut self, system: System, process: u32) {
        let key = key(system, process);
        if self.known.remove(&key).is_some() {
            self.order.retain(|known| *known != key);
        }
    }
}

fn key(system: System, process: u32) -> u64 {
    u64::from(process) | (system as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logins::kinds::Reason;

    fn said(kind: u8, count: u64) -> Said<'static> {
        Said { system: System::Sshd, reason: Reason::Password, kind, count, user: None, last: false }
    }

    #[test]
    fn the_kind_with_most_lines_is_the_number_of_attempts() {
        let mut once = Once::default();
        let added: Vec<u64> =
            [(0, 1), (1, 1), (1, 1), (1, 1), (4, 1)].map(|(kind, n)| once.add(&said(kind, n), Some(7), 0).0).to_vec();
        assert_eq!(added, [1, 0, 1, 1, 0]);
        // Another process is another connection, and one without a number stands for itself.
        assert_eq!(once.add(&said(1, 2), Some(8), 0).0, 2);
        assert_eq!((once.add(&said(1, 1), None, 0).0, once.add(&said(1, 1), None, 0).0), (1, 1));
    }

    #[test]
    fn a_number_is_another_process_after_an_hour_after_the_end_and_after_a_login() {
        let mut once = Once::default();
        assert_eq!(once.add(&said(0, 1), Some(7), 0).0, 1);
        assert_eq!(once.add(&said(1, 1), Some(7), APART).0, 0);
        assert_eq!(once.add(&said(0, 1), Some(7), 2 * APART + 1).0, 1);
        once.forget(System::Sshd, 7);
        assert_eq!(once.add(&said(1, 1), Some(7), 2 * APART + 2).0, 1);
        assert_eq!(once.add(&Said { last: true, ..said(4, 1) }, Some(7), 2 * APART + 3).0, 0);
        assert_eq!(once.add(&said(1, 1), Some(7), 2 * APART + 4).0, 1);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut once = Once::default();
        for process in 0..=u32::try_from(MAX).unwrap() {
            once.add(&said(0, 1), Some(process), 0);
        }
        assert_eq!((once.known.len(), once.order.len()), (MAX, MAX));
        assert_eq!(once.add(&said(1, 1), Some(5), 0).0, 0, "remembered");
        assert_eq!(once.add(&said(1, 1), Some(0), 0).0, 1, "forgotten");
    }

    #[test]
    fn what_is_stored_is_what_is_read() {
        let mut once = Once::default();
        once.add(&said(0, 1), Some(7), 5);
        let text = serde_json::to_string(&once).unwrap();
        assert_eq!(serde_json::from_str::<Once>(&text).unwrap(), once);
    }
}
