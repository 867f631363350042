//! How requests are authorized: by what files say, or with a token that is fetched.

use std::sync::Arc;

use super::auth::{Auth, Credentials};
use super::oauth2::OAuth2;
use crate::config::decode::MapCursor;
use crate::probe::net::Resolver;
use crate::probe::{Failure, Samples};

/// Where the `Authorization` header comes from.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// From the configuration, or files it names; or there is none.
    Fixed(Auth),
    /// From a token endpoint.
    OAuth2(Arc<OAuth2>),
}

/// What a server is shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) credentials: Credentials,
    /// It was fetched before, and may no longer be taken.
    pub(crate) kept: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self::Fixed(Auth::None)
    }
}

impl Login {
    /// Reads `basic_auth`, `authorization`, `bearer_token`, `bearer_token_file` and `oauth2`, of which one may be given.
    pub(crate) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let auth = Auth::decode(map);
        let Some(oauth2) = map.get("oauth2") else { return auth.map(Self::Fixed) };
        let oauth2 = OAuth2::decode(oauth2.map()?);
        if auth?.is_some() {
            map.error("give one of `basic_auth`, `authorization`, `bearer_token_file` and `oauth2`, not several");
            return None;
        }
        oauth2.map(|oauth2| Self::OAuth2(Arc::new(oauth2)))
    }

    /// Whether there is any.
    pub(crate) fn is_some(&self) -> bool {
        match self {
            Self::Fixed(auth) => auth.is_some(),
            Self::OAuth2(_) => true,
        }
    }

    /// What to show now.
    ///
    /// # Errors
    /// Reason `permission` when a file cannot be read or the token endpoint refuses; others when it cannot be asked.
    pub(crate) async fn show(&self, resolver: &Resolver, out: &mut Samples) -> Result<Option<Shown>, Failure> {
        match self {
            Self::Fixed(auth) => Ok(auth.read().await?.map(|credentials| Shown { credentials, kept: false })),
            Self::OAuth2(oauth2) => oauth2.show(resolver, out).await.map(Some),
        }
    }

    /// Whether it is worth asking once more: the target `refused` what it was `shown`, a token that was good before. It was
    /// withdrawn, or the server began anew, and who logs in afresh gets another. What is refused is not shown again.
    pub(crate) fn renews(&self, shown: Option<Shown>, refused: bool) -> bool {
        let (Self::OAuth2(oauth2), Some(shown), true) = (self, shown, refused) else { return false };
        oauth2.forget(&shown);
        shown.kept
    }
}
