//! Credentials: basic, bearer, or another scheme; read from their files at each run.

use base64::Engine as _;
use hyper::header::HeaderValue;

use crate::config::decode::MapCursor;
use crate::probe::{Failure, Reason};
use crate::secret::{Secret, SecretSource};

/// Where the `Authorization` header comes from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Auth {
    #[default]
    None,
    Basic {
        user: User,
        password: Option<SecretSource>,
    },
    Token {
        scheme: String,
        token: SecretSource,
    },
}

/// A user's name, which is no secret when it is written inline.
#[derive(Clone, Debug)]
pub(crate) enum User {
    Inline(String),
    File(SecretSource),
}

/// A ready header.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Marked sensitive: not shown by `Debug`, not kept in HTTP/2's header table.
    pub(crate) header: HeaderValue,
}

impl Auth {
    /// Reads `basic_auth`, `authorization`, `bearer_token` and `bearer_token_file`, of which one may be given.
    pub(crate) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let basic = map.get("basic_auth");
        let authorization = map.get("authorization");
        let bearer = map.secret("bearer_token", "bearer_token_file");
        let has_bearer = map.has("bearer_token") || map.has("bearer_token_file");
        if usize::from(basic.is_some()) + usize::from(authorization.is_some()) + usize::from(has_bearer) > 1 {
            map.error("give one of `basic_auth`, `authorization` and `bearer_token_file`, not several");
            return None;
        }
        if let Some(cursor) = basic {
            return Self::basic(cursor.map()?);
        }
        if let Some(cursor) = authorization {
            return Self::authorization(cursor.map()?);
        }
        if has_bearer {
            return Some(Self::Token { scheme: "Bearer".to_owned(), token: bearer? });
        }
        Some(Self::None)
    }

    /// Basic authentication with what a URL said in front of its host.
    pub(crate) fn of_user(user: String, password: Secret) -> Self {
        Self::Basic { user: User::Inline(user), password: Some(SecretSource::Inline(password)) }
    }

    fn basic(mut map: MapCursor<'_>) -> Option<Self> {
        let has_password = map.has("password") || map.has("password_file");
        let inline = map.get("username");
        let file = map.get("username_file");
        let user = match (inline, file) {
            (Some(cursor), Some(_)) => cursor.error("give `username` or `username_file`, not both"),
            (Some(cursor), None) => cursor.string().and_then(|name| {
                if name.contains(':') {
                    cursor.error("a user name with a colon cannot be sent by basic authentication")
                } else {
                    Some(User::Inline(name))
                }
            }),
            (None, Some(cursor)) => cursor.file().map(|path| User::File(SecretSource::File(path))),
            // Some take a key as the password of nobody.
            (None, None) if has_password => Some(User::Inline(String::new())),
            (None, None) => {
                map.error("`username` is missing");
                None
            }
        };
        let password = map.secret("password", "password_file");
        map.unsupported(&["username_ref", "password_ref"], "there is no secret manager here; use a file");
        map.finish();
        if has_password && password.is_none() {
            return None;
        }
        Some(Self::Basic { user: user?, password })
    }

    fn authorization(mut map: MapCursor<'_>) -> Option<Self> {
        let scheme = map.get("type").map_or_else(
            || Some("Bearer".to_owned()),
            |c| {
                let scheme = c.non_empty()?;
                if scheme.eq_ignore_ascii_case("basic") {
                    c.error("for basic authentication use `basic_auth`")
                } else if scheme.bytes().all(|b| b.is_ascii_graphic()) {
                    Some(scheme)
                } else {
                    c.error("is not a scheme of the Authorization header; write for example Bearer")
                }
            },
        );
        let has_token = map.has("credentials") || map.has("credentials_file");
        let token = map.secret("credentials", "credentials_file");
        map.unsupported(&["credentials_ref"], "there is no secret manager here; use `credentials_file`");
        if !has_token {
            map.error("`credentials_file` is missing");
        }
        map.finish();
        Some(Self::Token { scheme: scheme?, token: token? })
    }

    /// Whether there is any.
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The header as the files have it now.
    ///
    /// # Errors
    /// Reason `permission` when a file cannot be read; the text names the file, not its content.
    pub(crate) async fn read(&self) -> Result<Option<Credentials>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::Basic { user, password } => {
                let user = match user {
                    User::Inline(name) => Secret::new(name.as_str()),
                    User::File(source) => read(source).await?,
                };
                let password = match password {
                    None => Secret::new(""),
                    Some(source) => read(source).await?,
                };
                let pair = format!("{}:{}", user.expose(), password.expose());
                header("Basic", &base64::engine::general_purpose::STANDARD.encode(pair)).map(Some)
            }
            Self::Token { scheme, token } => header(scheme, read(token).await?.expose().trim()).map(Some),
        }
    }
}

/// What of ready credentials must not be shown, should a peer repeat it: as sent, and the password as it was written.
pub(crate) fn secrets_of(credentials: &Credentials) -> Vec<Secret> {
    let header = String::from_utf8_lossy(credentials.header.as_bytes());
    let Some((scheme, sent)) = header.split_once(' ') else { return Vec::new() };
    let mut secrets = vec![Secret::new(sent)];
    if scheme == "Basic"
        && let Ok(pair) = base64::engine::general_purpose::STANDARD.decode(sent)
        && let Some((_, password)) = String::from_utf8_lossy(&pair).split_once(':')
    {
        secrets.push(Secret::new(password));
    }
    secrets
}

/// Reads a secret; a file off the async threads, for it may lie on a file system that hangs.
pub(in crate::probe) async fn read(source: &SecretSource) -> Result<Secret, Failure> {
    let result = match source {
        SecretSource::Inline(secret) => return Ok(secret.clone()),
        SecretSource::File(_) => {
            let source = source.clone();
            tokio::task::spawn_blocking(move || source.read().map_err(|why| why.to_string())).await
        }
    };
    match result {
        Ok(Ok(secret)) => Ok(secret),
        Ok(Err(why)) => Err(Failure::new(Reason::Permission, why)),
        Err(_) => Err(Failure::new(Reason::Internal, "reading a secret file was interrupted")),
    }
}

fn header(scheme: &str, value: &str) -> Result<Credentials, Failure> {
    let mut header = HeaderValue::from_str(&format!("{scheme} {value}")).map_err(|_| {
        Failure::new(Reason::Permission, "the credentials hold characters a header cannot carry, such as a line end")
    })?;
    header.set_sensitive(true);
    Ok(Credentials { header })
}
