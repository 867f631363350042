//! Echo requests of a run and what became of them, for statistics of loss.
//!
//! A run's result says whether its last attempt got an answer; these count every request, so that a line that loses one in ten
//! shows while `attempts` keeps it from being called down. Counted as smokeping_prober does it, under names of our own.

/// Counts of one run, or of a target since it was configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Echoes {
    /// Requests that left this host.
    pub requests: u64,
    /// Replies that came while they were waited for.
    pub replies: u64,
    /// Requests that the system refused to send.
    pub send_errors: u64,
}

impl std::ops::AddAssign for Echoes {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.replies += other.replies;
        self.send_errors += other.send_errors;
    }
}
