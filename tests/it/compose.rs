//! docker-compose.yml and deploy/Dockerfile, without a container engine: what they refer to exists, images are pinned, nobody is
//! root or can become it, and every address in the shipped configuration is a service.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;
use sla_demo::stack::CLIENT_FILES;

use crate::rules::{files, read, root, tool, yaml};

fn services() -> BTreeMap<String, Value> {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_mapping().expect("services");
    services.iter().map(|(name, service)| (name.as_str().unwrap().to_owned(), service.clone())).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_sequence().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// Host path or volume → path inside, of a service.
fn mounts(service: &Value) -> Vec<(String, String, bool)> {
    texts(&service["volumes"])
        .into_iter()
        .map(|volume| {
            let parts: Vec<&str> = volume.split(':').collect();
            (parts[0].to_owned(), parts[1].to_owned(), parts.get(2) == Some(&"ro"))
        })
        .collect()
}

/// The file of the repository that a service sees under `path`.
fn seen(service: &Value, path: &str) -> Option<String> {
    mounts(service).into_iter().find_map(|(from, to, _)| {
        let rest = path.strip_prefix(&to)?.strip_prefix('/')?;
        Some(format!("{}/{rest}", from.strip_prefix("./")?))
    })
}

/// Services that do something and end: others wait for that.
fn one_shots() -> BTreeSet<String> {
    let waited = services().into_values().flat_map(|service| {
        let on = service["depends_on"].as_mapping().cloned().unwrap_or_default();
        on.into_iter().filter(|(_, how)| how["condition"] == "service_completed_successfully").collect::<Vec<_>>()
    });
    waited.map(|(name, _)| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_service_is_pinned_checked_and_without_privileges() {
    let one_shots = one_shots();
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap_or_else(|| panic!("{name}: no image"));
        let tag = image.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag")).1;
        let numbers = tag.trim_start_matches('v').split('.').filter(|part| part.parse::<u32>().is_ok()).count();
        assert!(numbers >= 3, "{name}: {tag} can move to another release");
        assert_eq!(service["read_only"], true, "{name}: its root file system can be written");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for key in ["privileged", "cap_add", "network_mode", "pid"] {
            assert!(service.get(key).is_none(), "{name}: {key}");
        }
        let user = service["user"].as_str().unwrap_or_else(|| panic!("{name}: runs as the image's user"));
        assert!(user.split(':').next().unwrap().parse::<u32>().unwrap() > 0, "{name}: {user} is root");
        if one_shots.contains(&name) {
            assert!(service["restart"] == "no" && service["ports"].is_null(), "{name} is to run once");
            continue;
        }
        let check = texts(&service["healthcheck"]["test"]);
        assert!(check.first().is_some_and(|kind| kind == "CMD") && check.len() > 1, "{name}: {check:?}");
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to the network");
        }
        assert_eq!(service["restart"], "unless-stopped", "{name}");
    }
}

#[test]
fn every_service_has_a_comment_above_it() {
    let text = read("docker-compose.yml");
    let lines: Vec<&str> = text.lines().collect();
    for name in services().keys() {
        let at = lines.iter().position(|line| *line == format!("  {name}:")).unwrap_or_else(|| panic!("{name}"));
        assert!(lines[at - 1].starts_with("  # "), "{name} has no comment");
    }
}

#[test]
fn what_is_mounted_exists_and_only_volumes_are_written() {
    let compose = yaml("docker-compose.yml");
    let declared: BTreeSet<&str> =
        compose["volumes"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap()).collect();
    let mut used = BTreeSet::new();
    for (name, service) in services() {
        for (from, to, read_only) in mounts(&service) {
            if let Some(path) = from.strip_prefix("./") {
                assert!(root().join(path).is_dir(), "{name}: {path} is no folder of the repository");
                assert!(read_only, "{name}: {path} can be written at {to}");
            } else {
                used.insert(from);
            }
        }
    }
    assert_eq!(used.iter().map(String::as_str).collect::<BTreeSet<_>>(), declared);
}

#[test]
fn services_wait_for_services_that_exist() {
    let (services, one_shots) = (services(), one_shots());
    for (name, service) in &services {
        for (other, how) in service["depends_on"].as_mapping().into_iter().flatten() {
            assert!(services.contains_key(other.as_str().unwrap()), "{name} waits for {other:?}");
            let condition = if one_shots.contains(other.as_str().unwrap()) {
                "service_completed_successfully"
            } else {
                "service_healthy"
            };
            assert_eq!(how["condition"], condition, "{name} waits for {other:?}");
        }
    }
}

#[test]
fn configuration_files_are_where_the_commands_look_for_them() {
    let services = services();
    for (service, command) in [("history", "config"), ("prometheus", "config.file"), ("alertmanager", "config.file")] {
        let service = &services[service];
        let flag = format!("--{command}=");
        let path = texts(&service["command"]).into_iter().find_map(|word| Some(word.strip_prefix(&flag)?.to_owned()));
        let path = path.unwrap_or_else(|| panic!("no {flag} in {service:?}"));
        let file = seen(service, &path).unwrap_or_else(|| panic!("{path} is not mounted"));
        assert!(root().join(&file).is_file(), "{file} does not exist");
    }
    // The rule files are named relative to prometheus.yml, in the repository as in the container.
    let config = yaml("deploy/prometheus/prometheus.yml");
    for pattern in texts(&config["rule_files"]) {
        let folder =
            pattern.strip_prefix("../../").and_then(|path| path.strip_suffix("/*.yml")).expect("../../…/*.yml");
        assert!(!files(folder, ".yml").is_empty());
        let mounted = mounts(&services["prometheus"]);
        let expected = (format!("./{folder}"), format!("/{folder}"), true);
        assert!(mounted.contains(&expected), "{pattern}: {expected:?} is not among {mounted:?}");
    }
    let dashboards = yaml("deploy/grafana/provisioning/dashboards/sla.yml");
    let path = dashboards["providers"][0]["options"]["path"].as_str().unwrap();
    assert!(mounts(&services["grafana"]).iter().any(|(_, to, _)| to == path), "grafana: {path} is not mounted");
}

#[test]
fn the_history_is_where_the_exporter_and_prometheus_look_for_it() {
    let services = services();
    let volume = |service: &str, path: &str| {
        let mounts = mounts(&services[service]);
        let mount = mounts.iter().find(|(_, to, _)| to == path).unwrap_or_else(|| panic!("{service} has no {path}"));
        mount.0.clone()
    };
    assert_eq!(texts(&services["exporter"]["command"])[1], "--config.file=/var/lib/sla-demo/sla.yml");
    assert!(texts(&services["history"]["command"]).contains(&"--out=/var/lib/sla-demo".to_owned()));
    for service in ["exporter", "history-blocks"] {
        assert_eq!(volume(service, "/var/lib/sla-demo"), volume("history", "/var/lib/sla-demo"));
    }
    assert_eq!(volume("history-blocks", "/prometheus"), volume("prometheus", "/prometheus"));
    // And what the exporter needs to log in to the demo service.
    let files = format!("--client-files=/var/lib/sla-demo/{CLIENT_FILES}");
    assert!(texts(&services["demo"]["command"]).contains(&files), "{files}");
    assert_eq!(volume("demo", "/var/lib/sla-demo"), volume("exporter", "/var/lib/sla-demo"));
    // Who writes a volume first decides whose it is.
    assert!(read("deploy/Dockerfile").contains("install -d -o 65534 -g 65534 /data /var/lib/sla-demo"));
    let arguments = sla_demo::history::promtool_arguments("history.openmetrics".as_ref(), "/prometheus".as_ref());
    let command = texts(&services["history-blocks"]["command"]).join("\n");
    assert!(command.contains(&format!("promtool {} &&", arguments.join(" "))), "{command}");
    assert_eq!(services["history-blocks"]["image"], services["prometheus"]["image"]);
}

#[test]
fn addresses_in_the_configuration_are_services() {
    let services = services();
    let exposed = |name: &str, port: &str| {
        let service = services.get(name).unwrap_or_else(|| panic!("there is no service {name}"));
        let ports = texts(&service["ports"]);
        // Mail is for Alertmanager only, TLS for who has the certificate: not published.
        [("mailcatcher", "1025"), ("demo", "8443")].contains(&(name, port))
            || ports.iter().any(|published| published.ends_with(&format!(":{port}")))
    };
    for (file, word) in [
        ("deploy/demo/sla.yml", "demo:8088"),
        ("deploy/demo/sla.yml", "demo:8443"),
        ("deploy/demo/sla.yml", "mailcatcher:1025"),
        ("deploy/demo/sla.yml", "prometheus:9090"),
        ("deploy/demo/sla.yml", "alertmanager:9093"),
        ("deploy/demo/sla.yml", "exporter:10115"),
        ("deploy/prometheus/prometheus.yml", "exporter:10115"),
        ("deploy/prometheus/prometheus.yml", "alertmanager:9093"),
        ("deploy/alertmanager/alertmanager.yml", "mailcatcher:1025"),
        ("deploy/alertmanager/alertmanager.yml", "demo:8088"),
        ("deploy/grafana/provisioning/datasources/prometheus.yml", "prometheus:9090"),
    ] {
        assert!(read(file).contains(word), "{file}: {word}");
        let (name, port) = word.split_once(':').unwrap();
        assert!(exposed(name, port), "{word}");
    }
}

#[test]
fn commands_have_flags_that_exist() {
    let services = services();
    for (service, package, program) in [
        ("prometheus", "prometheus", "prometheus"),
        ("alertmanager", "prometheus-alertmanager", "prometheus-alertmanager"),
    ] {
        let help = tool(package, "sh", &["-c", &format!("{program} --help 2>&1")], &[]);
        for word in texts(&services[service]["command"]) {
            let flag = word.split('=').next().unwrap();
            assert!(help.contains(&format!("{flag}=")), "{service}: {flag} is not among its flags");
        }
    }
}

#[test]
fn the_image_is_built_from_pinned_bases_and_its_user_is_a_number_that_is_not_root() {
    let text = read("deploy/Dockerfile");
    for base in text.lines().filter_map(|line| line.strip_prefix("FROM ")) {
        let image = base.split(' ').next().unwrap();
        let tag = image.split_once(':').unwrap_or_else(|| panic!("{image} has no tag")).1;
        assert!(!["latest", "slim", "stable"].contains(&tag), "{image}");
    }
    let users: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("USER ")).collect();
    assert_eq!(users, ["65534:65534"]);
    assert!(text.contains("HEALTHCHECK") && text.contains("--locked"));
    // What is ignored must not be what is built.
    let ignored = read(".dockerignore");
    for member in yaml_members() {
        let member = member.split('/').next().unwrap();
        assert!(ignored.lines().any(|line| line == format!("!{member}")), ".dockerignore leaves {member} out");
    }
}

/// The workspace's members, from Cargo.toml.
fn yaml_members() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("members = ")).expect("members");
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_binaries_that_services_run_are_in_the_image() {
    let dockerfile = read("deploy/Dockerfile");
    for (name, service) in services() {
        if service["build"].is_null() {
            continue;
        }
        let binary = texts(&service["command"]).into_iter().next().unwrap_or_else(|| panic!("{name}: no command"));
        assert!(dockerfile.contains(&format!("target/release/{binary}")), "{name}: {binary} is not installed");
        assert_eq!(service["build"]["dockerfile"], "deploy/Dockerfile", "{name}");
    }
}
