//! statvfs on many mounts, some of which may never answer: a mount whose server is gone blocks whoever
//! asks, unkillably, for hours.
//!
//! So the asking is done by helper threads. One does all the work of an ordinary scrape; every [`STEP`] that
//! passes with mounts left, another one joins, so that hanging mounts do not hold up the others. When
//! the patience ends, what hangs is remembered and not asked again until its helper comes back. Invariants:
//! a mount holds at most one helper; there are at most [`Limits::helpers`] of them, whatever hangs; a scrape takes
//! at most [`Limits::patience`]; one idle helper is kept.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::time::Duration;

use tokio::time::Instant;

use crate::host::kernel::{Kernel, Live, Usage};

/// How long mounts may be waiting before another helper joins.
const STEP: Duration = Duration::from_millis(50);

/// A mount to ask for: the kernel's number for it, and where it is.
pub(super) type Place = (u64, PathBuf);

/// What became of asking for a mount.
#[derive(Debug)]
pub(super) enum Answer {
    Usage(Usage),
    Refused(io::Error),
    /// It did not answer in time, in this scrape or since an earlier one.
    Hangs,
}

/// Bounds of the waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The longest a scrape waits for all its mounts together.
    pub(super) patience: Duration,
    /// The most helper threads there ever are.
    pub(super) helpers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(3), helpers: 32 }
    }
}

/// Asks mounts for their usage.
#[derive(Debug)]
pub(super) struct Patience {
    kernel: Arc<dyn Kernel>,
    limits: Limits,
    staff: Arc<Mutex<Staff>>,
}

#[derive(Debug, Default)]
struct Staff {
    /// All helpers, idle, busy and hanging.
    helpers: usize,
    idle: Vec<mpsc::Sender<Job>>,
    /// The last attempt to start one failed; logged once.
    unable: bool,
    hanging: HashSet<Place>,
}

/// A round to help with, and the way back into the idle ones.
struct Job {
    round: Arc<Round>,
    back: mpsc::Sender<Job>,
}

/// The mounts of one scrape.
#[derive(Debug)]
struct Round {
    places: Vec<Place>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Index of the next place nobody has begun.
    next: usize,
    /// When each was begun.
    begun: Vec<Option<Instant>>,
    answers: Vec<Option<io::Result<Usage>>>,
    answered: usize,
    /// The scrape has gone on without what is missing.
    over: bool,
}

// === impl Patience ===

impl Patience {
    /// The one of this process: a reload of the configuration must not forget what hangs, or each would cost a thread.
    pub(super) fn of_process() -> Arc<Self> {
        static ONE: LazyLock<Arc<Patience>> =
            LazyLock::new(|| Arc::new(Patience::new(Arc::new(Live), Limits::default())));
        ONE.clone()
    }

    pub(super) fn new(kernel: Arc<dyn Kernel>, limits: Limits) -> Self {
        Self { kernel, limits, staff: Arc::default() }
    }

    /// One answer per place, in their order.
    pub(super) fn ask(&self, places: Vec<Place>) -> Vec<Answer> {
        let hanging: Vec<bool> = {
            let staff = lock(&self.staff);
            places.iter().map(|place| staff.hanging.contains(place)).collect()
        };
        let asked = places.into_iter().zip(&hanging).filter(|(_, hangs)| !**hangs).map(|(place, _)| place).collect();
        let mut answers = self.ask_those(asked).into_iter();
        hanging
            .iter()
            .map(|hangs| if *hangs { Answer::Hangs } else { answers.next().unwrap_or(Answer::Hangs) })
            .collect()
    }

    fn ask_those(&self, places: Vec<Place>) -> Vec<Answer> {
        if places.is_empty() {
            return Vec::new();
        }
        let start = Instant::now();
        let round = Arc::new(Round::new(places));
        self.hire(&round);
        let mut next_step = STEP;
        let mut state = lock(&round.state);
        while state.answered < round.places.len() {
            let elapsed = start.elapsed();
            if elapsed >= self.limits.patience {
                break;
            }
            if elapsed >= next_step {
                next_step = elapsed + STEP;
                if state.next < round.places.len() {
                    drop(state);
                    self.hire(&round);
                    state = lock(&round.state);
                    continue;
                }
            }
            let wait = next_step.min(self.limits.patience).saturating_sub(elapsed);
            state = round.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.close(&round, &mut state)
    }

    /// Ends the round. What was begun in its first half and is still out hangs; what was begun later or never is
    /// only late, and asked again by the next scrape.
    fn close(&self, round: &Round, state: &mut State) -> Vec<Answer> {
        state.over = true;
        let mut staff = lock(&self.staff);
        let State { begun, answers, .. } = state;
        let answers =
            std::mem::take(answers).into_iter().zip(begun).zip(&round.places).map(|((answer, begun), place)| {
                match answer {
                    Some(Ok(usage)) => Answer::Usage(usage),
                    Some(Err(error)) => Answer::Refused(error),
                    None => {
                        if begun.is_some_and(|begun| begun.elapsed() >= self.limits.patience / 2) {
                            tracing::warn!(
                                mountpoint = %place.1.display(),
                                "a filesystem does not answer: shown as device_error and not asked again until it does"
                            );
                            staff.hanging.insert(place.clone());
                        }
                        Answer::Hangs
                    }
                }
            });
        answers.collect()
    }

    /// Puts an idle or a new helper to the round, unless there are too many already.
    fn hire(&self, round: &Arc<Round>) {
        let mut staff = lock(&self.staff);
        while let Some(back) = staff.idle.pop() {
            let job = Job { round: round.clone(), back: back.clone() };
            if back.send(job).is_ok() {
                return;
            }
            staff.helpers -= 1;
        }
        if staff.helpers >= self.limits.helpers {
            return;
        }
        let (back, jobs) = mpsc::channel();
        let (kernel, weak) = (self.kernel.clone(), Arc::downgrade(&self.staff));
        let helper = std::thread::Builder::new()
            .name("statvfs".to_owned())
            .stack_size(128 << 10)
            .spawn(move || help(&jobs, &*kernel, &weak));
        match helper {
            Ok(_) => {
                staff.helpers += 1;
                staff.unable = false;
                let _ = back.send(Job { round: round.clone(), back: back.clone() });
            }
            Err(error) => {
                if !std::mem::replace(&mut staff.unable, true) {
                    tracing::warn!(%error, "no thread to ask filesystems with: they are shown as device_error");
                }
            }
        }
    }
}

/// A helper's life: rounds, until there is another idle one or nobody left to help.
fn help(jobs: &mpsc::Receiver<Job>, kernel: &dyn Kernel, staff: &Weak<Mutex<Staff>>) {
    while let Ok(Job { round, back }) = jobs.recv() {
        round.work(kernel, staff);
        drop(round);
        let Some(staff) = staff.upgrade() else { return };
        let mut staff = lock(&staff);
        if staff.idle.is_empty() {
            staff.idle.push(back);
        } else {
            staff.helpers -= 1;
            return;
        }
    }
}

// === impl Round ===

impl Round {
    fn new(places: Vec<Place>) -> Self {
        let state = State {
            next: 0,
            begun: vec![None; places.len()],
            answers: places.iter().map(|_| None).collect(),
            answered: 0,
            over: false,
        };
        Self { places, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Asks for one place after the other until none is left.
    fn work(&self, kernel: &dyn Kernel, staff: &Weak<Mutex<Staff>>) {
        let mut state = lock(&self.state);
        while !state.over {
            let i = state.next;
            let Some(place) = self.places.get(i) else { return };
            state.next += 1;
            state.begun[i] = Some(Instant::now());
            drop(state);
            let answer = kernel.statvfs(&place.1);
            state = lock(&self.state);
            if state.over {
                drop(state);
                came_back(place, staff);
                return;
            }
            state.answers[i] = Some(answer);
            state.answered += 1;
            if state.answered == self.places.len() {
                self.changed.notify_all();
            }
        }
    }
}

fn came_back(place: &Place, staff: &Weak<Mutex<Staff>>) {
    if staff.upgrade().is_some_and(|staff| lock(&staff).hanging.remove(place)) {
        tracing::info!(mountpoint = %place.1.display(), "a filesystem answers again");
    }
}

/// A helper that panicked leaves consistent data: everything changed under these locks is a counter or a slot.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::host::Uname;

    /// A kernel on which mounts below `/hang` do not answer until they are released.
    #[derive(Debug, Default)]
    struct Fake {
        released: Mutex<bool>,
        change: Condvar,
        calls: AtomicUsize,
    }

    impl Kernel for Fake {
        fn unix_seconds(&self) -> f64 {
            0.0
        }
        fn ticks_per_second(&self) -> f64 {
            100.0
        }
        fn uname(&self) -> Uname {
            Uname::default()
        }
        fn statvfs(&self, path: &Path) -> io::Result<Usage> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if path.starts_with("/hang") {
                let released = lock(&self.released);
                drop(self.change.wait_while(released, |released| !*released));
            }
            if path.starts_with("/refused") {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Ok(Usage { size: 1, ..Usage::default() })
        }
    }

    impl Fake {
        fn release(&self) {
            *lock(&self.released) = true;
            self.change.notify_all();
        }
    }

    fn places(points: &[&str]) -> Vec<Place> {
        points.iter().enumerate().map(|(id, point)| (id as u64, PathBuf::from(point))).collect()
    }

    fn shown(answers: &[Answer]) -> String {
        let letter = |answer: &Answer| match answer {
            Answer::Usage(_) => 'u',
            Answer::Refused(_) => 'r',
            Answer::Hangs => 'h',
        };
        answers.iter().map(letter).collect()
    }

    fn patience(kernel: &Arc<Fake>, helpers: usize) -> Patience {
        Patience::new(kernel.clone(), Limits { patience: Duration::from_secs(1), helpers })
    }

    #[track_caller]
    fn eventually(mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(10), "waited in vain");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn one_helper_does_all_ordinary_rounds() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 8);
        for _ in 0..50 {
            assert_eq!(shown(&patience.ask(places(&["/a", "/refused", "/b"]))), "uru");
        }
        // A helper may be on its way back to the idle ones when the next round begins: a second, hardly a third.
        assert!(lock(&patience.staff).helpers <= 3, "{patience:?}");
    }

    #[test]
    fn hanging_mounts_hold_up_nobody_and_are_not_asked_again() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 8);
        let all = ["/a", "/hang/1", "/hang/2", "/b"];
        let start = Instant::now();
        assert_eq!(shown(&patience.ask(places(&all))), "uhhu");
        assert!(start.elapsed() < Duration::from_secs(5));
        let (calls, helpers) = (kernel.calls.load(Ordering::SeqCst), lock(&patience.staff).helpers);
        for _ in 0..20 {
            assert_eq!(shown(&patience.ask(places(&all))), "uhhu");
        }
        assert_eq!(kernel.calls.load(Ordering::SeqCst), calls + 20 * 2, "hanging mounts were asked again");
        assert!(lock(&patience.staff).helpers <= helpers + 2, "threads grow with scrapes: {patience:?}");
        kernel.release();
        eventually(|| lock(&patience.staff).hanging.is_empty());
        assert_eq!(shown(&patience.ask(places(&all))), "uuuu");
        eventually(|| lock(&patience.staff).helpers == 1);
    }

    #[test]
    fn a_mount_made_anew_at_a_hanging_place_is_asked() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 8);
        assert_eq!(shown(&patience.ask(vec![(1, "/hang".into())])), "h");
        kernel.release();
        assert_eq!(shown(&patience.ask(vec![(2, "/hang".into())])), "u");
    }

    #[test]
    fn threads_are_bounded_whatever_hangs() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 3);
        let all = ["/a", "/hang/1", "/hang/2", "/hang/3", "/hang/4", "/b"];
        assert_eq!(shown(&patience.ask(places(&all))), "uhhhhh");
        assert_eq!(lock(&patience.staff).helpers, 3);
        // Nobody is left to ask the others: not measured, and in bounded time.
        assert_eq!(shown(&patience.ask(places(&all))), "hhhhhh");
        assert_eq!(lock(&patience.staff).helpers, 3);
        kernel.release();
        eventually(|| lock(&patience.staff).hanging.is_empty());
        eventually(|| shown(&patience.ask(places(&all))) == "uuuuuu");
    }

    #[test]
    fn several_scrapes_at_once_share_the_helpers() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(shown(&patience.ask(places(&["/a", "/b", "/c"]))), "uuu");
                    }
                });
            }
        });
        assert!(lock(&patience.staff).helpers <= 8);
    }

    #[test]
    fn helpers_end_with_their_owner() {
        let kernel = Arc::new(Fake::default());
        let patience = patience(&kernel, 8);
        patience.ask(places(&["/a"]));
        drop(patience);
        eventually(|| Arc::strong_count(&kernel) == 1);
    }
}
