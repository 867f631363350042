//! What is probed, and how: out of the configuration, or guessed from the target's form. Pure.

use std::net::Ipv6Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::decode::Cursor;
use crate::config::diagnostics::Document;
use crate::config::{Config, names, node};
use crate::probe::endpoint::Endpoint;
use crate::probe::{self, Module};

/// Modules that need no configuration: by their names, as YAML.
const BUILT_IN: [(&str, &str); 12] = [
    ("clamd", "prober: clamd"),
    ("grpc", "prober: grpc"),
    ("grpc_tls", "{prober: grpc, grpc: {tls: true}}"),
    ("http", "prober: http"),
    ("http_2xx", "prober: http"),
    ("icmp", "prober: icmp"),
    ("ping", "prober: icmp"),
    ("tcp", "prober: tcp"),
    ("tcp_connect", "prober: tcp"),
    ("tls", "{prober: tcp, tcp: {tls: true}}"),
    ("unix", "prober: unix"),
    ("websocket", "prober: websocket"),
];

/// One run to make.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) target: String,
    pub(super) module: Arc<Module>,
    /// The probe of the configuration, where it is one's.
    pub(super) probe: Option<String>,
    /// That probe's bound.
    pub(super) timeout: Option<Duration>,
    /// The module is none of the configuration's.
    pub(super) built_in: bool,
}

/// What `target` and `module` mean.
///
/// # Errors
/// With what is wrong and what is accepted.
pub(super) fn choose(config: Option<&Config>, target: &str, module: Option<&str>) -> Result<Vec<Chosen>, String> {
    let Some(name) = module else {
        let found = config.map(|config| configured(config, target)).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
        let name = guess(target)?;
        return one(target, built_in(name).ok_or("the built-in module is missing")?, true);
    };
    match (config.map(|config| config.module(name)), built_in(name)) {
        (Some(Ok(module)), _) => one(target, Arc::clone(module), false),
        (_, Some(module)) => one(target, module, true),
        (Some(Err(why)), None) => Err(format!("--module: {why}; built in are {}", names_built_in())),
        (None, None) => {
            let known = BUILT_IN.iter().map(|(name, _)| *name);
            Err(format!(
                "--module: {}; those of a configuration need --config.file",
                names::unknown("module", name, known)
            ))
        }
    }
}

/// What the configuration does with a probe of this name, or with this target.
fn configured(config: &Config, target: &str) -> Vec<Chosen> {
    let mut found: Vec<Chosen> = Vec::new();
    for spec in config.targets.iter().filter(|spec| spec.probe == target || spec.target == target) {
        // Two probes of one target with one module are the same run.
        if !found.iter().any(|other| other.target == spec.target && other.module.name == spec.module.name) {
            found.push(Chosen {
                target: spec.target.clone(),
                module: Arc::clone(&spec.module),
                probe: Some(spec.probe.clone()),
                timeout: Some(spec.timeout),
                built_in: false,
            });
        }
    }
    found
}

fn one(target: &str, module: Arc<Module>, built_in: bool) -> Result<Vec<Chosen>, String> {
    probe::check_target(&module, target).map_err(|why| format!("{target}: {why}"))?;
    Ok(vec![Chosen { target: target.to_owned(), module, probe: None, timeout: None, built_in }])
}

/// The built-in module for a target of this form.
fn guess(target: &str) -> Result<&'static str, String> {
    let scheme = target.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        _ if target.starts_with(['/', '@']) => Ok("unix"),
        Some("http" | "https") => Ok("http"),
        Some("ws" | "wss") => Ok("websocket"),
        Some("grpc") => Err("for a gRPC server write HOST:PORT with --module grpc, or grpc_tls".to_owned()),
        Some(other) => Err(format!(
            "nothing built in probes `{other}://…`; give --config.file and --module, or write https://…, HOST:PORT or a host"
        )),
        // Without brackets it is an address, not one with a port.
        None if target.parse::<Ipv6Addr>().is_ok() => Ok("icmp"),
        None if Endpoint::parse(target, None).is_ok() => Ok("tcp"),
        None => Ok("icmp"),
    }
}

fn built_in(name: &str) -> Option<Arc<Module>> {
    let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    let tree = node::parse(text).ok()?;
    probe::decode_module(name, &Cursor::root(&Document::new(Path::new("built in")), &tree)).map(Arc::new)
}

fn names_built_in() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn config() -> Config {
        config::embedded(([127, 0, 0, 1], 10115).into(), false).unwrap().config
    }

    #[test]
    fn every_built_in_module_can_be_read() {
        for (name, _) in BUILT_IN {
            assert_eq!(built_in(name).unwrap().name, name);
        }
    }

    #[test]
    fn the_form_of_a_target_tells_how_it_is_probed() {
        for (target, expected) in [
            ("https://example.com/", "http"),
            ("HTTP://example.com", "http"),
            ("example.com:443", "tcp"),
            ("[::1]:443", "tcp"),
            ("10.0.0.1:22", "tcp"),
            ("10.0.0.1", "icmp"),
            ("::1", "icmp"),
            ("2001:db8::22", "icmp"),
            ("example.com", "icmp"),
            ("/run/app.sock", "unix"),
            ("@app", "unix"),
            ("wss://example.com/socket", "websocket"),
        ] {
            assert_eq!(guess(target).as_deref(), Ok(expected), "{target}");
            let chosen = choose(None, target, None).unwrap();
            assert_eq!((chosen.len(), chosen[0].module.name.as_str(), chosen[0].built_in), (1, expected, true));
        }
        let why = choose(None, "postgres://db/app", None).unwrap_err();
        assert!(why.contains("`postgres://…`") && why.contains("--module"), "{why}");
    }

    #[test]
    fn a_probe_or_a_target_of_the_configuration_is_probed_as_there() {
        let config = config();
        let spec = &config.targets[0];
        for by in [&spec.probe, &spec.target] {
            let chosen = choose(Some(&config), by, None).unwrap();
            assert!(chosen.iter().any(|one| one.target == spec.target && one.module.name == spec.module.name), "{by}");
            assert!(chosen.iter().all(|one| !one.built_in && one.timeout.is_some() && one.probe.is_some()), "{by}");
        }
        let named = choose(Some(&config), "127.0.0.1:9", Some("tls")).unwrap();
        assert!(named[0].built_in && named[0].module.prober.name() == "tcp");
    }

    #[test]
    fn what_cannot_be_probed_is_said_with_what_can() {
        let config = config();
        for (config, target, module, words) in [
            (None, "example.com:80", Some("htpp"), &["`htpp`", "`http`", "--config.file"][..]),
            (Some(&config), "example.com:80", Some("nothing_like_it"), &["nothing_like_it", "tcp_connect"]),
            (None, "example.com", Some("tcp"), &["example.com: ", "port"]),
            (None, "ftp://example.com/", Some("http"), &["ftp"]),
            (None, "no such host", None, &["no such host: "]),
            (None, "", None, &[": "]),
        ] {
            let why = choose(config, target, module).unwrap_err();
            assert!(words.iter().all(|word| why.contains(word)), "{target} {module:?}: {why}");
        }
    }
}
