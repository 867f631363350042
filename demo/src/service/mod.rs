//! The demo service: a login, a web form and click-count links, each with a switch to break it.
//!
//! The three capabilities of the shipped contract: `web_app` (client function), `web_form` and `click_count`
//! (consumer function), and beside them a stand-in for the upstream platform, `sfdc`.

mod clicks;
mod heartbeat;
mod pages;
mod switches;

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{COOKIE, HeaderValue, SET_COOKIE};
use hyper::{Method, Request, StatusCode};

pub use self::clicks::Clicks;
use self::heartbeat::Heartbeat;
use self::pages::Forms;
pub use self::switches::{Capability, Mode, Switches};
use crate::web::{self, Handler, Page};

/// What a slow capability takes for an answer.
const SLOW: Duration = Duration::from_secs(4);
/// What a hanging one takes: longer than any prober waits, and still an end.
const HANG: Duration = Duration::from_secs(120);

/// The known user of the demo.
const USER: &str = "demo";
/// And its password: printed on the login page.
pub(crate) const PASSWORD: &str = "demo";
/// Who has it is logged in. One session for all: there is nothing behind the login.
const SESSION: &str = "demo_session=open";

/// The service.
#[derive(Debug)]
pub struct Service {
    /// What is broken.
    pub switches: Switches,
    clicks: Clicks,
    forms: Forms,
    heartbeat: Heartbeat,
}

impl Service {
    /// A service in which everything works.
    #[must_use]
    pub fn new(clicks: Clicks) -> Arc<Self> {
        Arc::new(Self {
            switches: Switches::default(),
            clicks,
            forms: Forms::default(),
            heartbeat: Heartbeat::default(),
        })
    }

    /// The answer when `capability` is asked for and broken; `Ok` when it works.
    async fn works(&self, capability: Capability) -> Result<(), Option<Page>> {
        match self.switches.mode(capability) {
            Mode::Works => Ok(()),
            Mode::Error => Err(Some(web::text(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("{capability} is broken on purpose; fix it with POST /fix/{capability}\n"),
            ))),
            Mode::Slow => {
                tokio::time::sleep(SLOW).await;
                Ok(())
            }
            Mode::Hang => {
                tokio::time::sleep(HANG).await;
                Err(None)
            }
            Mode::Close => Err(None),
            Mode::Empty => Err(Some(web::text(StatusCode::OK, ""))),
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Page, Option<Page>> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let is_post = request.method() == Method::POST;
        Ok(match segments.as_slice() {
            [""] => pages::index(&self.switches),
            ["break", name] if is_post => {
                let query = request.uri().query().unwrap_or_default();
                let mode = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "mode");
                self.switch(name, mode.map_or("error".to_owned(), |(_, mode)| mode.into_owned()).as_str(), &request)
            }
            ["fix", name] if is_post => self.switch(name, "works", &request),
            ["health", name] => match name.parse::<Capability>() {
                Ok(capability) => {
                    self.works(capability).await?;
                    if capability == Capability::ClickCount {
                        self.clicks.check().await.map_err(|error| pages::unavailable(&error))?;
                    }
                    web::text(StatusCode::OK, format!("{capability} works\n"))
                }
                Err(why) => web::text(StatusCode::NOT_FOUND, why),
            },
            ["login"] => {
                self.works(Capability::WebApp).await?;
                if is_post { login(&web::body(request).await?) } else { pages::login(None) }
            }
            ["app"] => {
                self.works(Capability::WebApp).await?;
                if has_session(&request) { pages::app() } else { web::redirect(StatusCode::FOUND, "/login") }
            }
            ["form"] => {
                self.works(Capability::WebForm).await?;
                if is_post { self.forms.submit(&web::body(request).await?) } else { self.forms.page() }
            }
            ["form", id] => {
                self.works(Capability::WebForm).await?;
                self.forms.entry(id)
            }
            ["c", id] => {
                self.works(Capability::ClickCount).await?;
                self.clicks.count(id).await.map_err(|error| pages::unavailable(&error))?;
                web::redirect(StatusCode::FOUND, &format!("/landing/{id}"))
            }
            ["c", id, "count"] => {
                self.works(Capability::ClickCount).await?;
                let count = self.clicks.read(id).await.map_err(|error| pages::unavailable(&error))?;
                web::text(StatusCode::OK, format!("{count}\n"))
            }
            ["landing", id] => pages::landing(id),
            ["heartbeat"] if is_post => self.heartbeat.beat(tokio::time::Instant::now()),
            ["heartbeat"] => self.heartbeat.state(tokio::time::Instant::now()),
            _ => web::text(StatusCode::NOT_FOUND, "not here; / lists what there is\n"),
        })
    }

    fn switch(&self, name: &str, mode: &str, request: &Request<Incoming>) -> Page {
        let set = || -> Result<String, String> {
            let mode = mode.parse::<Mode>()?;
            let capabilities = match name {
                "all" => Capability::ALL.to_vec(),
                name => vec![name.parse::<Capability>()?],
            };
            capabilities.iter().for_each(|capability| self.switches.set(*capability, mode));
            Ok(format!("{name}: {mode}\n"))
        };
        match set() {
            // A browser's button wants its page back, a command line the new state.
            Ok(_) if request.headers().get("accept").is_some_and(|a| a.as_bytes().starts_with(b"text/html")) => {
                web::redirect(StatusCode::SEE_OTHER, "/")
            }
            Ok(state) => web::text(StatusCode::OK, state),
            Err(why) => web::text(StatusCode::NOT_FOUND, why),
        }
    }
}

impl Handler for Service {
    async fn handle(&self, request: Request<Incoming>) -> Option<Page> {
        match self.answer(request).await {
            Ok(page) => Some(page),
            Err(instead) => instead,
        }
    }
}

fn login(body: &[u8]) -> Page {
    let field = |name: &str| url::form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value);
    if field("user").as_deref() != Some(USER) || field("password").as_deref() != Some(PASSWORD) {
        return pages::login(Some("ユーザー名またはパスワードが違います / wrong user or password"));
    }
    let mut response = web::redirect(StatusCode::SEE_OTHER, "/app");
    response
        .headers_mut()
        .insert(SET_COOKIE, HeaderValue::from_static("demo_session=open; HttpOnly; SameSite=Strict; Path=/"));
    response
}

fn has_session(request: &Request<Incoming>) -> bool {
    let cookies = request.headers().get_all(COOKIE);
    cookies.iter().filter_map(|value| value.to_str().ok()).any(|text| text.split(';').any(|c| c.trim() == SESSION))
}
