//! Basic authentication against bcrypt hashes.
//!
//! A check takes a tenth of a second by design, so its outcome is remembered (as a keyed hash, not as
//! the password), only a few run at once, and none on an async thread. An unknown user costs as much as a
//! wrong password: names cannot be found out by the clock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::Refusal;

/// Checks at once.
const CHECKS: usize = 2;
/// How long a request waits for its check to begin.
const WAIT: Duration = Duration::from_secs(5);
/// Outcomes of each kind that are remembered.
const REMEMBERED: usize = 100;

/// Everybody who may read.
#[derive(Debug)]
pub(super) struct Users {
    hashes: HashMap<String, String>,
    /// What unknown users are checked against: as costly as the costliest.
    nobody: String,
    checks: Arc<Semaphore>,
    memory: Mutex<Memory>,
}

/// Outcomes of checks under keys nobody outside can compute. The two kinds do not push each other out.
struct Memory {
    key: [u8; 32],
    right: VecDeque<[u8; 32]>,
    wrong: VecDeque<[u8; 32]>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Users {
    /// `None` without any user: then there are no passwords. Hashes come with their costs.
    pub(super) fn new(users: HashMap<String, (String, u32)>) -> Option<Self> {
        let cost = users.values().map(|(_, cost)| *cost).max()?;
        Some(Self {
            hashes: users.into_iter().map(|(name, (hash, _))| (name, hash)).collect(),
            // Well-formed, and of no password anybody knows.
            nobody: format!("$2b${cost:02}${}", ".".repeat(53)),
            checks: Arc::new(Semaphore::new(CHECKS)),
            memory: Mutex::new(Memory { key: random_key(), right: VecDeque::new(), wrong: VecDeque::new() }),
        })
    }

    /// Whether the request brings a user's password.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let (user, password) = credentials(headers).ok_or(Refusal::Password)?;
        let known = self.hashes.get(&user);
        let hash = known.unwrap_or(&self.nobody).clone();
        let outcome = self.outcome(&user, &password, &hash);
        let right = match self.remembered(&outcome) {
            Some(right) => right,
            None => {
                let place = tokio::time::timeout(WAIT, Arc::clone(&self.checks).acquire_owned()).await;
                let Ok(Ok(place)) = place else { return Err(Refusal::Busy) };
                // Someone with the same password may have been first.
                match self.remembered(&outcome) {
                    Some(right) => right,
                    None => {
                        let check = tokio::task::spawn_blocking(move || {
                            let right = bcrypt::verify(password, &hash).unwrap_or(false);
                            drop(place);
                            right
                        });
                        let right = check.await.unwrap_or(false) && known.is_some();
                        self.remember(outcome, right);
                        right
                    }
                }
            }
        };
        if right { Ok(()) } else { Err(Refusal::Password) }
    }

    fn outcome(&self, user: &str, password: &[u8], hash: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.memory().key);
        for part in [user.as_bytes(), hash.as_bytes(), password] {
            // Lengths first: `ab` `c` is not `a` `bc`.
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    fn remembered(&self, outcome: &[u8; 32]) -> Option<bool> {
        let memory = self.memory();
        if memory.right.contains(outcome) {
            return Some(true);
        }
        memory.wrong.contains(outcome).then_some(false)
    }

    fn remember(&self, outcome: [u8; 32], right: bool) {
        let mut memory = self.memory();
        let outcomes = if right { &mut memory.right } else { &mut memory.wrong };
        if outcomes.len() >= REMEMBERED {
            outcomes.pop_front();
        }
        outcomes.push_back(outcome);
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, password) = decoded.split_at(colon);
    Some((String::from_utf8(user.to_vec()).ok()?, password.get(1..)?.to_vec()))
}

fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    // Without randomness there is no TLS either; the key then only fails to hide what the memory holds.
    let _ = rustls::crypto::ring::default_provider().secure_random.fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let hash = |password| bcrypt::hash(password, 4).unwrap();
        Users::new(HashMap::from([
            ("prometheus".to_owned(), (hash("secret"), 4)),
            ("other".to_owned(), (hash("pass:word"), 4)),
        ]))
        .unwrap()
    }

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    fn basic(credentials: &str) -> HeaderMap {
        headers(&format!("Basic {}", STANDARD.encode(credentials)))
    }

    #[tokio::test]
    async fn only_a_users_own_password_is_let_in() {
        let users = users();
        // Twice: the second time from memory.
        for _ in 0..2 {
            for (credentials, expected) in [
                ("prometheus:secret", Ok(())),
                ("other:pass:word", Ok(())),
                ("prometheus:pass:word", Err(Refusal::Password)),
                ("prometheus:", Err(Refusal::Password)),
                ("prometheus", Err(Refusal::Password)),
                ("prometheus:secret ", Err(Refusal::Password)),
                ("nobody:secret", Err(Refusal::Password)),
                (":", Err(Refusal::Password)),
            ] {
                assert_eq!(users.admit(&basic(credentials)).await, expected, "{credentials}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_basic_header_is_turned_away() {
        let users = users();
        assert_eq!(users.admit(&HeaderMap::new()).await, Err(Refusal::Password));
        for value in ["", "Basic", "Basic %%%", "Bearer cHJvbWV0aGV1czpzZWNyZXQ=", "cHJvbWV0aGV1czpzZWNyZXQ="] {
            assert_eq!(users.admit(&headers(value)).await, Err(Refusal::Password), "{value}");
        }
        assert_eq!(users.admit(&headers("basic cHJvbWV0aGV1czpzZWNyZXQ=")).await, Ok(()), "the scheme has no case");
    }

    #[tokio::test]
    async fn memory_is_bounded_and_wrong_guesses_push_nobody_out() {
        let users = users();
        users.admit(&basic("prometheus:secret")).await.unwrap();
        for guess in 0..REMEMBERED + 10 {
            users.remember([u8::try_from(guess % 256).unwrap(); 32], false);
        }
        let memory = users.memory();
        assert_eq!((memory.right.len(), memory.wrong.len()), (1, REMEMBERED));
    }

    #[test]
    fn the_hash_of_nobody_is_well_formed() {
        assert_eq!(bcrypt::verify("anything", &users().nobody).ok(), Some(false));
    }

    #[test]
    fn nothing_secret_is_in_debug_output() {
        let text = format!("{:?}", users().memory);
        assert_eq!(text, "Mutex { data: Memory { .. }, poisoned: false, .. }");
    }
}
