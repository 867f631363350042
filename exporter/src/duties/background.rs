//! A blocking job that is run again and again, never twice at once.
//!
//! A job that hangs (a network file system that is gone) holds one thread of the blocking pool and is not started again until
//! it ends; its owner is told once that it is late. Not for async work, which has timeouts of its own.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

/// One job.
#[derive(Debug)]
pub struct Job<T> {
    running: Option<Running<T>>,
    ended: Option<Instant>,
}

#[derive(Debug)]
struct Running<T> {
    handle: JoinHandle<T>,
    started: Instant,
    /// It was said that it is late.
    late: bool,
}

/// What was complained of last: what is tried every few minutes is said once, and again when it is something else.
#[derive(Debug, Default)]
pub struct Complaint(Option<String>);

impl Complaint {
    /// Whether `why` is news; `None`: nothing is wrong.
    pub fn is_new(&mut self, why: Option<&str>) -> bool {
        let new = why.is_some() && self.0.as_deref() != why;
        self.0 = why.map(str::to_owned);
        new
    }
}

/// How a job stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Not due, or under way.
    Nothing,
    /// It ended with this.
    Done(T),
    /// It has taken longer than it may and goes on; said once.
    Late,
    /// It panicked: a bug, of which nothing is known but that.
    Broken,
}

impl<T> Default for Job<T> {
    fn default() -> Self {
        Self { running: None, ended: None }
    }
}

impl<T: Send + 'static> Job<T> {
    /// Looks at the job, and starts `work` when `interval` has passed since it last ended. It may take `limit`.
    pub async fn step(
        &mut self,
        interval: Duration,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Step<T> {
        let Some(running) = &mut self.running else {
            if self.ended.is_none_or(|ended| ended.elapsed() >= interval) {
                let handle = tokio::task::spawn_blocking(work);
                self.running = Some(Running { handle, started: Instant::now(), late: false });
            }
            return Step::Nothing;
        };
        if !running.handle.is_finished() {
            if running.late || running.started.elapsed() <= limit {
                return Step::Nothing;
            }
            running.late = true;
            return Step::Late;
        }
        let Some(running) = self.running.take() else { return Step::Nothing };
        self.ended = Some(Instant::now());
        match running.handle.await {
            // What came too late is of a moment long past.
            Ok(_) if running.late => Step::Nothing,
            Ok(result) => Step::Done(result),
            Err(_) => Step::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);

    async fn until<T: Send + 'static>(job: &mut Job<T>, work: impl Fn() -> T + Clone + Send + 'static) -> Step<T> {
        loop {
            match job.step(NEVER, NEVER, work.clone()).await {
                Step::Nothing => tokio::time::sleep(Duration::from_millis(1)).await,
                step => return step,
            }
        }
    }

    #[test]
    fn a_complaint_is_said_once_and_again_after_it_was_settled_or_is_another() {
        let mut complaint = Complaint::default();
        let said = [Some("a"), Some("a"), Some("b"), None, Some("b")].map(|why| complaint.is_new(why));
        assert_eq!(said, [true, false, true, false, true]);
    }

    #[tokio::test]
    async fn a_job_is_run_once_per_interval() {
        let mut job = Job::default();
        assert_eq!(until(&mut job, || 7).await, Step::Done(7));
        for _ in 0..10 {
            assert_eq!(job.step(NEVER, NEVER, || 8).await, Step::Nothing);
        }
        assert!(job.running.is_none(), "not due");
        assert_eq!(job.step(Duration::ZERO, NEVER, || 8).await, Step::Nothing);
        assert_eq!(until(&mut job, || 9).await, Step::Done(8), "started when it was due");
    }

    #[tokio::test]
    async fn a_job_that_hangs_is_late_once_and_never_started_twice() {
        let (release, held) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel();
        let mut job = Job::default();
        let mut held = Some(held);
        let mut seen = Vec::new();
        for _ in 0..50 {
            let (held, started) = (held.take(), started.clone());
            let step = job.step(Duration::ZERO, Duration::from_millis(5), move || {
                let _ = started.send(());
                if let Some(held) = held {
                    let _ = held.recv();
                }
            });
            seen.push(step.await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(seen.iter().filter(|step| **step == Step::Late).count(), 1);
        assert!(!seen.contains(&Step::Done(())));
        assert_eq!(starts.try_iter().count(), 1);
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_is_the_jobs_own() {
        let mut job: Job<()> = Job::default();
        assert_eq!(until(&mut job, || panic!("a bug")).await, Step::Broken);
    }
}
