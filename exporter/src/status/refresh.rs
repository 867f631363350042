//! Asks a Prometheus in the background: how the functions are every 15 s, what was measured every 5 minutes.
//!
//! Two connections, so that a long answer about the past does not delay the present. A failure is logged when it begins and
//! when it ends; what was heard before stays until it is too old to be shown. Not for: what is made of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::board::Now;
use super::history::{self, Measurements};
use crate::app::App;
use crate::cli::PrometheusFlags;
use crate::clock;
use crate::contract::Contract;
use crate::prometheus_api::{Client, Error, Settings, quoted};
use crate::report::collect;

/// How often the present is asked for.
const PRESENT: Duration = Duration::from_secs(15);
/// How often the past is.
const PAST: Duration = Duration::from_secs(300);

/// Asks until `shutdown`. `settings`: two that are alike, one for each connection.
pub async fn run(app: Arc<App>, settings: [Settings; 2], shutdown: CancellationToken) {
    let [present, past] = settings.map(Client::new);
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = async { tokio::join!(presents(&app, present), pasts(&app, past)); } => {}
    }
}

/// The settings of `flags`, twice.
///
/// # Errors
/// What is wrong with the flags.
pub fn settings(flags: &PrometheusFlags) -> Result<[Settings; 2], String> {
    let one = || Settings::from_flags(flags).map_err(|error| error.to_string());
    Ok([one()?, one()?])
}

async fn presents(app: &App, mut client: Client) {
    let mut ticks = tokio::time::interval(PRESENT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        let config = app.config();
        let answer = now(&mut client, &config.contract, clock::whole_seconds()).await;
        said(&mut failing, "present", answer.as_ref().err());
        if let Ok(now) = answer {
            app.board().tell_now(now);
        }
    }
}

async fn pasts(app: &App, mut client: Client) {
    let mut ticks = tokio::time::interval(PRESENT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    // When it was asked last, and about which contract.
    let mut asked: Option<(Instant, String)> = None;
    loop {
        ticks.tick().await;
        let config = app.config();
        let name = &config.contract.name;
        // After a failure, again soon.
        let pause = if failing { PAST / 5 } else { PAST };
        if asked.as_ref().is_some_and(|(at, contract)| at.elapsed() < pause && contract == name) {
            continue;
        }
        asked = Some((Instant::now(), name.clone()));
        let answer = measurements(&mut client, &config.contract, clock::whole_seconds()).await;
        said(&mut failing, "past", answer.as_ref().err());
        if let Ok(measured) = answer {
            app.board().tell_measured(measured);
        }
    }
}

fn said(failing: &mut bool, what: &'static str, error: Option<&Error>) {
    match error {
        Some(error) if !*failing => {
            tracing::warn!(about = what, %error, "status page: Prometheus did not answer; asking on");
        }
        None if *failing => tracing::info!(about = what, "status page: Prometheus answers again"),
        _ => {}
    }
    *failing = error.is_some();
}

/// How the functions are at `at`.
///
/// # Errors
/// When there is no complete answer.
pub async fn now(client: &mut Client, contract: &Contract, at: i64) -> Result<Now, Error> {
    let series = format!("sla:function_up:now{{contract={}}}", quoted(&contract.name));
    // Rules that stopped leave their last sample behind for five minutes: that is not now.
    let query = format!("max by (function) ({series} and (timestamp({series}) > {}))", at - 90);
    let samples = client.query(&query, at).await?;
    let up: BTreeMap<String, bool> = samples
        .into_iter()
        .filter(|sample| !sample.point.value.is_nan())
        .filter_map(|sample| Some((sample.labels.get("function")?.clone(), sample.point.value > 0.5)))
        .collect();
    Ok(Now { at, contract: contract.name.clone(), up })
}

/// Everything that was measured and is shown at `at`.
///
/// # Errors
/// When there is no complete answer.
pub async fn measurements(client: &mut Client, contract: &Contract, at: i64) -> Result<Measurements, Error> {
    let slots = collect::between(client, contract, history::first(contract, at), at, |_, _| ()).await?;
    Ok(Measurements { at, contract: contract.name.clone(), slots })
}
