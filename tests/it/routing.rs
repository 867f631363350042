//! Who is told what: the shipped Alertmanager configuration is read, and every kind of alert reaches the right people.
//!
//! By amtool and by reading the file. Not for: what mails say (`mails.rs`), and how a real Alertmanager behaves (`told.rs`).

use std::collections::BTreeSet;

use serde_yaml::Value;

use crate::rules::{alerts, tool, yaml};

const CONFIG: &str = "deploy/alertmanager/alertmanager.yml";

fn amtool(arguments: &[&str]) -> String {
    tool("prometheus-alertmanager", "amtool", arguments, &[])
}

/// Alerts of the exporter's notices are posted by it and are in no rule file.
const POSTED: &str = "SlaNotice";

#[test]
fn alertmanager_reads_its_configuration_and_templates() {
    let printed = amtool(&["check-config", CONFIG]);
    assert!(printed.contains("1 templates"), "{printed}");
}

#[test]
fn alerts_reach_who_must_know() {
    for (receivers, labels) in [
        ("operations", "severity=page alertname=SlaFunctionDown contract=c function=f"),
        ("operations", "severity=page alertname=SlaMaintenanceOverrun contract=c function=f maintenance=m"),
        ("tickets", "severity=ticket alertname=HostUnmeasured host=h"),
        ("nobody", "severity=info alertname=SlaMaintenanceInProgress"),
        // Of no known severity: somebody's work.
        ("tickets", "alertname=SomebodyElses"),
        ("tickets", "alertname=SomebodyElses severity=critical"),
        ("tickets", "alertname=SomebodyElses severity=notice contract=synergy-lead event=opened"),
        ("heartbeat", "alertname=SlaWatchdog severity=info clause=C2.1"),
        ("heartbeat", "alertname=SlaWatchdog severity=page clause=C2.6.7"),
        // Security: several people, and whoever has to act.
        ("security,tickets", "severity=ticket alertname=X clause=C2.6.7"),
        ("security,operations", "severity=page alertname=X clause=C2.6.2"),
        ("security,tickets", "severity=ticket alertname=SlaVirusTestNotFound clause=C2.6.4"),
        ("security,tickets", "severity=ticket alertname=X clause='C2.1 C2.6.7 C4.1'"),
        ("tickets", "severity=ticket alertname=X clause=C2.6.8"),
        ("tickets", "severity=ticket alertname=X clause=C2.6.70"),
        ("tickets", "severity=ticket alertname=X clause=C2a6b7"),
        // Customers, and a call where something fails, is over, or takes longer.
        (
            "account-team,customers",
            "alertname=SlaNotice severity=notice contract=synergy-lead kind=incident event=opened",
        ),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=incident event=update"),
        (
            "account-team,customers",
            "alertname=SlaNotice severity=notice contract=synergy-lead kind=incident event=resolved",
        ),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=announced"),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=reminder"),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=started"),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=finished"),
        ("customers", "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=cancelled"),
        (
            "account-team,customers",
            "alertname=SlaNotice severity=notice contract=synergy-lead kind=maintenance event=overrun",
        ),
        // Another contract's customers are nobody's to guess.
        ("no-customers", "alertname=SlaNotice severity=notice contract=another event=opened"),
        ("no-customers", "alertname=SlaNotice severity=notice contract=another event=update"),
        ("no-customers", "alertname=SlaNotice severity=notice contract=synergy-lead-2 event=announced"),
        ("no-customers", "alertname=SlaNotice severity=notice event=announced"),
    ] {
        let config = format!("--config.file={CONFIG}");
        let expected = format!("--verify.receivers={receivers}");
        let mut arguments = vec!["config".to_owned(), "routes".to_owned(), "test".to_owned(), config, expected];
        // A value in quotes may have blanks; the newest release wants quotes of its own around it.
        let mut rest = labels;
        while let Some((name, value)) = rest.split_once('=') {
            let quoted = value.strip_prefix('\'').and_then(|value| value.split_once('\''));
            let (value, after) = quoted.unwrap_or_else(|| value.split_once(' ').unwrap_or((value, "")));
            arguments.push(format!("{name}=\"{value}\""));
            rest = after.trim_start();
        }
        amtool(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// No alert there is goes where nobody looks, except what is only to be seen.
#[test]
fn every_alert_of_the_rules_has_a_receiver_of_its_severity() {
    for rule in alerts() {
        let expected = match (rule.name.as_str(), rule.text(&["labels", "severity"])) {
            ("SlaWatchdog", _) => "heartbeat",
            (_, "page") => "operations",
            (_, "ticket") => "tickets",
            _ => "nobody",
        };
        let config = format!("--config.file={CONFIG}");
        let labels = ["alertname", "severity", "clause"].map(|label| {
            let value = if label == "alertname" { rule.name.as_str() } else { rule.text(&["labels", label]) };
            format!("{label}=\"{value}\"")
        });
        let mut arguments = vec!["config", "routes", "test", &config];
        arguments.extend(labels.iter().map(String::as_str));
        let printed = amtool(&arguments);
        assert!(printed.trim().split(',').any(|name| name == expected), "{}: {printed}", rule.name);
    }
}

fn mails() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for receiver in yaml(CONFIG)["receivers"].as_sequence().unwrap() {
        for mail in receiver["email_configs"].as_sequence().into_iter().flatten() {
            found.push((receiver["name"].as_str().unwrap().to_owned(), mail.clone()));
        }
    }
    found
}

#[test]
fn every_mail_says_recoveries_or_is_a_notice_and_uses_the_templates() {
    let mails = mails();
    assert!(mails.len() >= 7, "{} mails", mails.len());
    for (name, mail) in mails {
        let (family, thread, recoveries) = match name.as_str() {
            "customers" => ("notice", "notice", false),
            "account-team" | "no-customers" => ("account", "notice", false),
            _ => ("mail", "mail", true),
        };
        // The default is no for mail; the end of a notice is no event.
        assert_eq!(mail["send_resolved"], recoveries, "{name}");
        let template = |family: &str, part: &str| format!("{{{{ template \"sla.{family}.{part}\" . }}}}");
        assert_eq!(mail["headers"]["Subject"], template(family, "subject").as_str(), "{name}");
        assert_eq!(mail["text"], template(family, "text").as_str(), "{name}");
        assert_eq!(mail["html"], template(family, "html").as_str(), "{name}");
        for header in ["References", "In-Reply-To"] {
            assert_eq!(mail["headers"][header], template(thread, "thread").as_str(), "{name}");
        }
        assert_eq!(mail["headers"]["Auto-Submitted"], "auto-generated", "{name}");
    }
}

/// C2.2: customers do not learn of one another.
#[test]
fn a_customer_is_alone_in_a_mail() {
    let customers: Vec<_> = mails().into_iter().filter(|(name, _)| name == "customers").collect();
    assert!(customers.len() >= 2, "one customer shows nothing");
    let mut seen = BTreeSet::new();
    for (_, mail) in customers {
        let to = mail["to"].as_str().unwrap();
        assert!(!to.contains(','), "{to}: several customers in one mail");
        assert!(seen.insert(to.to_owned()), "{to} twice");
        for header in ["To", "Cc", "Bcc"] {
            assert!(mail["headers"][header].is_null(), "{to}: {header}");
        }
    }
}

#[test]
fn several_people_hear_of_security_and_one_address_of_each_other_kind() {
    for (name, mail) in mails() {
        let addresses = mail["to"].as_str().unwrap().split(',').count();
        assert_eq!(addresses > 1, name == "security", "{name}: {addresses}");
    }
}

/// Every matcher of an inhibition names alerts that exist, literally or by a beginning (`SlaExporter.+`).
#[test]
fn inhibitions_name_alerts_that_exist() {
    let names: BTreeSet<String> = alerts().into_iter().map(|rule| rule.name).collect();
    let config = yaml(CONFIG);
    let mut named = 0;
    for rule in config["inhibit_rules"].as_sequence().unwrap() {
        for side in ["source_matchers", "target_matchers"] {
            for matcher in rule[side].as_sequence().unwrap() {
                let matcher = matcher.as_str().unwrap();
                let value = matcher.split('"').nth(1).unwrap_or_else(|| panic!("{matcher}: value without quotes"));
                if !matcher.starts_with("alertname") {
                    continue;
                }
                for value in value.split('|') {
                    let known = match value.strip_suffix(".+").or(value.strip_suffix(".*")) {
                        Some(beginning) => names.iter().any(|name| name.starts_with(beginning)),
                        None => names.contains(value),
                    };
                    assert!(known, "{matcher}: there is no alert {value}");
                    named += 1;
                }
            }
        }
    }
    assert!(named > 15, "{named}");
}

/// Two alerts that both lack a label are equal in it: an inhibition by labels the source may lack silences strangers.
#[test]
fn sources_of_inhibitions_have_the_labels_that_must_be_equal() {
    for rule in yaml(CONFIG)["inhibit_rules"].as_sequence().unwrap() {
        let matchers: Vec<&str> =
            rule["source_matchers"].as_sequence().unwrap().iter().map(|matcher| matcher.as_str().unwrap()).collect();
        let name =
            matchers[0].strip_prefix("alertname=\"").and_then(|rest| rest.strip_suffix('"')).expect("one source");
        let source = alerts().into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no {name}"));
        for label in rule["equal"].as_sequence().unwrap() {
            let label = label.as_str().unwrap();
            // Its own texts speak of the label, or its expression keeps it, or the matcher asks for it.
            let said = source.text(&["annotations", "description"]).contains(&format!("$labels.{label}"))
                || source.text(&["expr"]).contains(label)
                || matchers.contains(&format!("{label}!=\"\"").as_str());
            assert!(said, "{name}: nothing says that it has the label {label}");
        }
    }
}

#[test]
fn a_customer_reads_of_nothing_but_notices() {
    let routes = yaml(CONFIG)["route"]["routes"].clone();
    let mut to_customers = 0;
    for route in routes.as_sequence().unwrap() {
        let notices = route["matchers"][0] == format!("alertname=\"{POSTED}\"").as_str();
        let text = serde_yaml::to_string(route).unwrap();
        if text.contains("receiver: customers") {
            assert!(notices, "{text}");
            to_customers += 1;
        }
    }
    assert_eq!(to_customers, 1);
}

/// C3.2: ticket mails keep to working hours in the contract's zone; pages, notices and the heartbeat do not.
#[test]
fn only_tickets_keep_to_working_hours() {
    fn limited(route: &Value, found: &mut Vec<String>) {
        if route["active_time_intervals"].is_sequence() || route["mute_time_intervals"].is_sequence() {
            found.push(route["receiver"].as_str().unwrap().to_owned());
        }
        route["routes"].as_sequence().into_iter().flatten().for_each(|route| limited(route, found));
    }
    let config = yaml(CONFIG);
    let mut found = Vec::new();
    limited(&config["route"], &mut found);
    assert_eq!(found, ["tickets", "tickets"]);
    // Alertmanager's routes do not inherit hours: a part of the tickets without them would be mailed at night.
    let routes = config["route"]["routes"].as_sequence().unwrap();
    for route in routes.iter().filter(|route| route["receiver"] == "tickets") {
        for part in route["routes"].as_sequence().into_iter().flatten() {
            for key in ["receiver", "active_time_intervals", "mute_time_intervals"] {
                assert_eq!(part[key], route[key], "{part:?}");
            }
        }
    }
    for interval in config["time_intervals"].as_sequence().unwrap() {
        for part in interval["time_intervals"].as_sequence().unwrap() {
            assert_eq!(part["location"], "Asia/Tokyo", "{interval:?}");
        }
    }
}

/// Alertmanager remembers for five days by default (`--data.retention`) what it mailed: repeated later, it would be forgotten and
/// mailed at once. The alerts that are said again seldom exist, are tickets, and are the month's and the certificate's only.
#[test]
fn what_stands_for_weeks_is_said_again_every_four_days() {
    let config = yaml(CONFIG);
    let routes = config["route"]["routes"].as_sequence().unwrap();
    let seldom: Vec<&Value> = routes
        .iter()
        .flat_map(|route| route["routes"].as_sequence().into_iter().flatten())
        .filter(|route| route["repeat_interval"] == "4d")
        .collect();
    assert_eq!(seldom.len(), 1);
    let matcher = seldom[0]["matchers"][0].as_str().unwrap();
    let names: BTreeSet<&str> = matcher.split('"').nth(1).unwrap().split('|').collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "SlaCertificateExpiring",
            "SlaMonthAtRisk",
            "SlaMonthBreached",
            "SlaMonthLowerBoundBreached",
            "SlaMonthUnmeasured"
        ])
    );
    for name in names {
        let rule = alerts().into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no alert {name}"));
        assert_eq!(rule.text(&["labels", "severity"]), "ticket", "{name}");
    }
}

/// A beat a minute: a repeat_interval of a minute would leave out every second one, and the end of the watchdog is no beat.
#[test]
fn the_heartbeat_beats_every_minute() {
    let config = yaml(CONFIG);
    let route = &config["route"]["routes"][0];
    assert_eq!(route["receiver"], "heartbeat", "first, so that nothing can keep it");
    assert_eq!((&route["group_interval"], &route["repeat_interval"]), (&Value::from("1m"), &Value::from("50s")));
    let receivers = config["receivers"].as_sequence().unwrap();
    let hooks = &receivers.iter().find(|receiver| receiver["name"] == "heartbeat").unwrap()["webhook_configs"];
    for hook in hooks.as_sequence().unwrap() {
        assert_eq!(hook["send_resolved"], false, "{hook:?}: a webhook sends recoveries by default");
    }
}

#[test]
fn secrets_come_from_files() {
    let text = crate::rules::read(CONFIG);
    for secret in ["smtp_auth_password", "smtp_auth_secret", "auth_password", "credentials", "bearer_token", "password"]
    {
        for line in text.lines() {
            let line = line.trim_start_matches([' ', '#', '-', '{']);
            assert!(!line.starts_with(&format!("{secret}:")), "{line}");
        }
    }
    // What the comment recommends is read by this Alertmanager.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alertmanager.yml");
    let real = text
        .replace("  #   smtp_auth_username", "  smtp_auth_username")
        .replace("  #   smtp_auth_password_file", "  smtp_auth_password_file")
        .replace("  smtp_require_tls: false\n", "")
        .replace("  #   http_config", "        http_config")
        .replace(
            "templates/*.tmpl",
            &format!("{}/deploy/alertmanager/templates/*.tmpl", crate::rules::root().display()),
        );
    let real = real.replace(
        "        http_config: {authorization: {credentials_file: /etc/alertmanager/secrets/heartbeat-token}}\n",
        "",
    );
    let real = real.replace(
        "        # The end of the watchdog is no beat.\n",
        "        http_config: {authorization: {credentials_file: /etc/alertmanager/secrets/heartbeat-token}}\n",
    );
    for key in ["\n  smtp_auth_username: ", "\n  smtp_auth_password_file: ", "\n        http_config: {"] {
        assert!(real.contains(key), "{key} is not in\n{real}");
    }
    std::fs::write(&path, real).unwrap();
    amtool(&["check-config", path.to_str().unwrap()]);
}

/// docs/mails.md has a row for every inhibition, with its labels.
#[test]
fn docs_list_what_is_not_mailed_while_something_else_says_it() {
    let docs = crate::rules::read("docs/mails.md");
    for rule in yaml(CONFIG)["inhibit_rules"].as_sequence().unwrap() {
        let names = |side: &str| -> Vec<String> {
            let matchers = rule[side].as_sequence().unwrap().iter().map(|matcher| matcher.as_str().unwrap());
            let named = matchers.filter(|m| m.starts_with("alertname=") && !m.contains(".+"));
            named.flat_map(|m| m.split('"').nth(1).unwrap().split('|').map(str::to_owned).collect::<Vec<_>>()).collect()
        };
        let equal: Vec<&str> =
            rule["equal"].as_sequence().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
        let (sources, targets) = (names("source_matchers"), names("target_matchers"));
        let listed = docs.lines().filter(|line| line.starts_with("| Sla") || line.starts_with("| Host")).any(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let has = |cell: &str, name: &String| cell.split(", ").any(|word| word == name);
            sources.iter().all(|name| has(cells[1], name))
                && targets.iter().all(|name| has(cells[2], name))
                && cells[3] == equal.join(", ")
        });
        assert!(listed, "docs/mails.md has no row for {sources:?} over {targets:?} of the same {equal:?}");
    }
    for link in docs.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
        assert!(link.contains("://") || crate::rules::root().join("docs").join(link).exists(), "{link} does not exist");
    }
}
