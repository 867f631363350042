//! Why Prometheus could not be asked.

pub use crate::http_client::ErrorKind;

/// Why Prometheus could not be asked. Displayed as `server: what was asked: what happened; what to do`, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {asked}: {detail}")]
pub struct Error {
    /// For callers that treat some of them differently.
    pub kind: ErrorKind,
    pub(super) server: String,
    pub(super) asked: String,
    pub(super) detail: String,
}
