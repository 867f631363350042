//! Outages: one mail each, with what belongs to it; what is known already is not told.

use serde_json::{Value, json};
use sla_tests::eventually;

use super::{SETTLED, Told, alert, assert_well_formed, header};

fn failing_probes() -> Vec<Value> {
    (0..30)
        .map(|number| {
            let labels = format!(
                "contract=c function=consumer capability=web_form site=tokyo-{} probe=form-{number} target=https://form-{number}.example.com/",
                number % 2
            );
            alert("SlaProbeFailing", &labels)
        })
        .collect()
}

/// C2.2: who is paged reads what is down, and hears of its end in the same thread; the thirty probes that saw it say nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_thirty_probes_see_is_one_mail_and_its_end_another() {
    let told = Told::start().await;
    let mut outage = failing_probes();
    outage.push(alert("SlaFunctionDown", "contract=c function=consumer"));
    outage.push(alert("SlaCapabilityDown", "contract=c function=consumer capability=web_form"));
    told.post(&outage).await;
    let down = told.exactly("operations@example.com", 1).await.remove(0);
    assert_well_formed(&down);
    assert!(
        down.subject.starts_with(
            "[発生 FIRING] c/consumer 契約の機能が停止しています。 / A function of the contract is down. ("
        ),
        "{}",
        down.subject
    );
    for words in [
        "契約の機能が停止しています。",
        "users of the function consumer",
        "JST",
        "/runbooks/SlaFunctionDown.md",
        "詳しい状況。",
    ] {
        assert!(down.text.contains(words) && down.html.contains(words), "{words}\n{}", down.text);
    }
    told.resolve(&outage).await;
    let over = told.exactly("operations@example.com", 2).await.remove(1);
    assert!(over.subject.starts_with("[復旧 RESOLVED] c/consumer "), "{}", over.subject);
    assert_well_formed(&over);
    assert_eq!(header(&down, "References"), header(&over, "References"), "one outage is one thread");
    assert_ne!(header(&down, "Message-Id"), header(&over, "Message-Id"));
    assert_eq!(told.mails.all().len(), 2, "{:?}", told.mails.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_failing_probes_of_a_function_that_is_up_are_one_ticket() {
    let told = Told::start().await;
    told.post(&failing_probes()).await;
    let mail = told.exactly("tickets@example.com", 1).await.remove(0);
    assert!(mail.subject.starts_with("[発生 FIRING 30] c/consumer "), "{}", mail.subject);
    for number in 0..30 {
        let target = format!("form-{number}.example.com");
        assert!(mail.text.contains(&target) && mail.html.contains(&target), "{target}: {}", mail.text);
    }
    assert_eq!(told.mails.all().len(), 1);
}

/// What stands for weeks is not said every day; what is new of it is a mail of its own, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_month_is_not_said_again_as_often_as_a_failing_probe() {
    let told = Told::start_with(&[("repeat_interval: 12h", "repeat_interval: 2s")]).await;
    let missed = alert("SlaMonthBreached", "contract=c function=consumer month=2026-10");
    told.post(&[missed.clone(), alert("SlaProbeFailing", "contract=d probe=p site=s")]).await;
    let of = |contract: &str| {
        let subjects = told.to("tickets@example.com").into_iter().map(|mail| mail.subject);
        subjects.filter(|subject| subject.contains(&format!(" {contract}"))).count()
    };
    eventually("the probe a third time", async || match of("d") {
        count if count >= 3 => Ok(()),
        count => Err(format!("{count}")),
    })
    .await;
    assert_eq!(of("c/consumer"), 1, "{:?}", told.mails.all().iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    told.post(&[alert("SlaMonthUnmeasured", "contract=c function=consumer month=2026-10")]).await;
    eventually("what is new of the month", async || match of("c/consumer") {
        2 => Ok(()),
        count => Err(format!("{count}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_of_two_devices_are_two_mails_and_security_reaches_several_people_beside() {
    let told = Told::start().await;
    let mut login = alert("HostUnmeasured", "contract=c host=web3");
    login["labels"]["clause"] = json!("C2.6.7");
    told.post(&[
        alert("HostUnmeasured", "contract=c host=web1"),
        alert("HostUnmeasured", "contract=c host=web2"),
        login,
    ])
    .await;
    let tickets = told.exactly("tickets@example.com", 3).await;
    for host in ["web1", "web2", "web3"] {
        assert_eq!(tickets.iter().filter(|mail| mail.subject.contains(host)).count(), 1, "{host}");
    }
    let security = told.exactly("security-officer@example.com", 1).await.remove(0);
    assert!(security.subject.contains("web3"), "{}", security.subject);
    assert_eq!(security.recipients, ["security-officer@example.com", "security-deputy@example.com"]);
    tickets.iter().chain([&security]).for_each(assert_well_formed);
}

/// Each pair as Alertmanager judges it: `true` when the second is not told while the first fires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_once_is_not_said_again_and_nothing_else_is_kept_back() {
    let down = "SlaFunctionDown function=f";
    let cut_off = "SlaSiteCutOff site=s";
    let maintenance = "SlaMaintenanceInProgress function=f maintenance=m";
    let exporter = "SlaExporterDown job=sla-exporter instance=e:1";
    let pairs = [
        // A function speaks for its capabilities and probes, of all sites.
        (down, "SlaCapabilityDown function=f capability=x", true),
        (down, "SlaProbeFailing function=f capability=x site=s probe=p target=t", true),
        (down, "SlaProbeFailing function=g capability=x site=s probe=p target=t", false),
        (down, "SlaProbeFailing site=s probe=p target=t", false),
        (down, "SlaCapabilityDown function=g capability=x", false),
        (down, "SlaFunctionDown function=g", false),
        (down, "SlaFunctionUnmeasured function=f", false),
        (down, "HostUnmeasured host=h", false),
        (down, "SlaMaintenanceOverrun function=f maintenance=m", false),
        ("SlaCapabilityDown function=f capability=x", "SlaProbeFailing function=f capability=x probe=p", true),
        ("SlaCapabilityDown function=f capability=x", "SlaProbeFailing function=f capability=y probe=p", false),
        ("SlaCapabilityDown function=f capability=x", "SlaFunctionDown function=f", false),
        // What an outage costs the month is known while it lasts; that the month is lost is said in any case.
        (down, "SlaMonthBudgetBurnFast function=f month=m", true),
        (down, "SlaMonthBudgetBurnSlow function=f month=m", true),
        (down, "SlaDowntimeUnexplained function=f month=m", true),
        (down, "SlaMonthBudgetBurnFast function=g month=m", false),
        (down, "SlaMonthBreached function=f month=m", false),
        (down, "SlaMonthAtRisk function=f month=m", false),
        ("SlaMonthBudgetBurnFast function=f month=m", "SlaMonthBudgetBurnSlow function=f month=m", true),
        ("SlaMonthBudgetBurnFast function=f month=m", "SlaMonthBudgetBurnSlow function=f month=n", false),
        ("SlaMonthBreached function=f month=m", "SlaMonthBudgetBurnSlow function=f month=m", true),
        ("SlaMonthLowerBoundBreached function=f month=m", "SlaMonthUnmeasured function=f month=m", true),
        ("SlaFunctionUnmeasured function=f", "SlaMeasurementGap function=f", true),
        // A site that is cut off speaks for what it saw.
        (cut_off, "SlaProbeFailing site=s probe=p target=t", true),
        (cut_off, "SlaProbeFailing site=s function=f capability=x probe=p target=t", true),
        (cut_off, "SlaProbeUnmeasured site=s probe=p target=t", true),
        (cut_off, "SlaProbeFailing site=other probe=p target=t", false),
        (cut_off, "SlaSiteCutOff site=other", false),
        (cut_off, "SlaFunctionDown function=f", false),
        (cut_off, "SlaFunctionUnmeasured function=f", false),
        (cut_off, "HostUnmeasured host=h", false),
        // An exporter that is gone speaks for itself, not for what nobody measures now.
        (exporter, "SlaExporterConfigReloadFailed job=sla-exporter instance=e:1", true),
        (exporter, "SlaExporterConfigReloadFailed job=sla-exporter instance=e:2", false),
        (exporter, "SlaExporterDown job=sla-exporter instance=e:2", false),
        (exporter, "SlaFunctionUnmeasured function=f", false),
        (exporter, "SlaProbeFailing site=s probe=p", false),
        ("SlaExporterDown job=sla-exporter", "SlaExporterConfigReloadFailed job=sla-exporter instance=e:1", false),
        // Unmeasured, from the whole to its parts.
        ("SlaFunctionUnmeasured function=f", "SlaEvidenceUnmeasured function=f capability=x", true),
        ("SlaFunctionUnmeasured function=f", "SlaEvidenceUnmeasured function=g capability=x", false),
        (
            "SlaEvidenceUnmeasured function=f capability=x",
            "SlaProbeUnmeasured function=f capability=x site=s probe=p",
            true,
        ),
        (
            "SlaEvidenceUnmeasured function=f capability=x",
            "SlaProbeUnmeasured function=f capability=y site=s probe=p",
            false,
        ),
        (
            "SlaEvidenceUnmeasured function=f capability=x",
            "SlaProbeFailing function=f capability=x site=s probe=p",
            false,
        ),
        ("SlaPortOpen site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=t", true),
        ("SlaPortOpen site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=u", false),
        ("SlaPortOpen site=s probe=p target=t", "SlaProbeFailing site=z probe=p target=t", false),
        ("SlaAccessOpen site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=t", true),
        ("SlaAccessOpen site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=u", false),
        ("SlaVirusScannerFailing site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=t", true),
        ("SlaVirusScannerFailing site=s probe=p target=t", "SlaProbeFailing site=s probe=p target=u", false),
        // No backup at all says it alone; its drill, its size and other sets and hosts are another matter.
        ("SlaBackupMissing backup=b instance=e:1", "SlaBackupRetentionBroken backup=b instance=e:1", true),
        ("SlaBackupMissing backup=b instance=e:1", "SlaBackupRetentionBroken backup=a instance=e:1", false),
        ("SlaBackupMissing backup=b instance=e:1", "SlaBackupRetentionBroken backup=b instance=e:2", false),
        ("SlaBackupMissing backup=b", "SlaBackupRetentionBroken backup=b", false),
        ("SlaBackupMissing backup=b instance=e:1", "SlaBackupLate backup=b instance=e:1", false),
        ("SlaBackupMissing backup=b instance=e:1", "SlaRestoreDrillDue", false),
        ("SlaBackupLate backup=b instance=e:1", "SlaBackupRetentionBroken backup=b instance=e:1", false),
        ("HostUnmeasured host=h", "HostMetricsMissing host=h", true),
        ("HostUnmeasured host=h", "HostMetricsMissing host=i", false),
        ("HostUnmeasured host=h", "HostLoadOverThreshold host=h", false),
        ("HostUnmeasured host=h", "HostCheckUnmeasured host=h check=ping", true),
        ("HostUnmeasured host=h", "HostCheckUnmeasured host=i check=ping", false),
        ("HostMetricsMissing host=h", "HostCheckUnmeasured host=h check=filesystem", true),
        ("HostMetricsMissing host=h", "HostCheckUnmeasured host=h check=ping", false),
        ("HostMetricsMissing host=h", "HostCheckUnmeasured host=i check=filesystem", false),
        // An announced maintenance silences what its functions are, and nothing else.
        (maintenance, "SlaFunctionDown function=f", true),
        (maintenance, "SlaFunctionUnmeasured function=f", true),
        (maintenance, "SlaCapabilityDown function=f capability=x", true),
        (maintenance, "SlaEvidenceUnmeasured function=f capability=x", true),
        (maintenance, "SlaProbeFailing function=f capability=x site=s probe=p", true),
        (maintenance, "SlaProbeUnmeasured function=f capability=x site=s probe=p", true),
        (maintenance, "SlaMeasurementGap function=f", true),
        (maintenance, "SlaMonthBreached function=f month=m", false),
        (maintenance, "SlaCertificateExpired function=f capability=x probe=p target=t", false),
        (maintenance, "SlaFunctionDown function=g", false),
        (maintenance, "SlaCapabilityDown function=g capability=x", false),
        (maintenance, "SlaProbeFailing site=s probe=p target=t", false),
        (maintenance, "HostUnmeasured host=h", false),
        (maintenance, "HostLoadOverThreshold host=h", false),
        (maintenance, "SlaSiteCutOff site=s", false),
        (maintenance, "SlaExporterDown job=sla-exporter instance=e:1", false),
        (maintenance, "SlaMaintenanceOverrun function=f maintenance=m", false),
        (maintenance, "SlaMaintenanceOverLimit function=f maintenance=m", false),
        (maintenance, "SlaMaintenanceNoticeMissed maintenance=m", false),
        (maintenance, "SlaMaintenanceInProgress function=f maintenance=n", false),
        (maintenance, "SlaWatchdog", false),
        // On a holiday tickets wait; what wakes people and what security is told does not.
        ("SlaSupportHoliday", "SlaMonthBreached function=f month=m severity=ticket", true),
        ("SlaSupportHoliday", "SlaSupportAnswerOverdue severity=ticket clause=C3.4", true),
        ("SlaSupportHoliday", "SlaFunctionDown function=f severity=page", false),
        ("SlaSupportHoliday", "SlaSupportAnswerDue clause=C2.6.7", false),
        // What is about to begin silences nothing.
        ("SlaMaintenanceStarting function=f maintenance=m", "SlaFunctionDown function=f", false),
        ("SlaMaintenanceOverrun function=f maintenance=m", "SlaFunctionDown function=f", false),
    ];
    let told = Told::start().await;
    let mut posted = Vec::new();
    for (number, (source, target, _)) in pairs.iter().enumerate() {
        for (which, text) in [("source", source), ("target", target)] {
            let (name, labels) = text.split_once(' ').unwrap_or((text, ""));
            // A contract each: pairs do not meet. Devices and exporters have no contract in Prometheus, and need it here.
            let mut alert = alert(name, &format!("contract=pair-{number} {labels}"));
            for label in ["host", "instance"] {
                if let Some(value) = alert["labels"][label].as_str() {
                    alert["labels"][label] = json!(format!("{value}-{number}"));
                }
            }
            alert["labels"]["side"] = json!(which);
            posted.push(alert);
        }
    }
    told.post(&posted).await;
    for (number, (source, target, expected)) in pairs.iter().enumerate() {
        let contract = format!("pair-{number}");
        eventually(&format!("{source} → {target}: {expected}"), async || {
            let alerts = told.inhibited(&contract).await?;
            let of =
                |side: &str| alerts.iter().find(|(labels, _)| labels["side"] == side).map(|(_, inhibited)| *inhibited);
            if of("target") == Some(*expected) && of("source").is_some() { Ok(()) } else { Err(format!("{alerts:?}")) }
        })
        .await;
    }
}

/// A maintenance of one contract is not another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announced_maintenance_pages_nobody_and_its_end_lets_through_what_is_still_down() {
    let told = Told::start().await;
    let maintenance = [alert("SlaMaintenanceInProgress", "contract=c function=consumer maintenance=m")];
    told.post(&maintenance).await;
    let down = alert("SlaFunctionDown", "contract=c function=consumer");
    told.post(&[down.clone(), alert("SlaFunctionDown", "contract=d function=consumer")]).await;
    let other = told.exactly("operations@example.com", 1).await.remove(0);
    assert!(other.subject.contains(" d/consumer "), "{}", other.subject);

    // The announced end: the function is still down, and the overrun is told in the same mail or right after.
    told.post(&[alert("SlaMaintenanceOverrun", "contract=c function=consumer maintenance=m")]).await;
    told.resolve(&maintenance).await;
    let late = eventually("the page", async || {
        told.to("operations@example.com")
            .into_iter()
            .find(|mail| mail.subject.contains(" c/consumer "))
            .ok_or("none".to_owned())
    })
    .await;
    assert!(late.subject.starts_with("[発生 FIRING"), "{}", late.subject);
    assert_well_formed(&late);
    eventually("both are told", async || {
        let mails = told.to("operations@example.com");
        let last = mails.iter().rfind(|mail| mail.subject.contains(" c/consumer ")).ok_or("none")?;
        let both = ["SlaMaintenanceOverrun", "SlaFunctionDown"].iter().all(|name| last.text.contains(name));
        if both { Ok(()) } else { Err(last.text.clone()) }
    })
    .await;
    tokio::time::sleep(SETTLED).await;
    assert!(told.to("operations@example.com").len() <= 3, "{:?}", told.mails.all());
    assert!(told.to("tickets@example.com").is_empty());
}

/// Content from outside passes through a real Alertmanager and a real SMTP conversation as it is, and stays content.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_content_arrives_whole_and_stays_content() {
    let told = Told::start().await;
    let odd = "一行目 <b>&\"'\r\nBcc: other@example.com\r\n.\r\n二行目";
    let mut page = alert("SlaFunctionDown", "contract=c function=f");
    for text in ["summary", "summary_ja"] {
        page["annotations"][text] = json!(format!("{odd}{}", "長".repeat(3000)));
    }
    page["annotations"]["description_ja"] = json!(odd);
    told.post(&[page]).await;
    let mail = told.exactly("operations@example.com", 1).await.remove(0);
    assert_well_formed(&mail);
    assert_eq!(mail.recipients, ["operations@example.com"]);
    assert_eq!(mail.to, "operations@example.com");
    assert!(mail.subject.contains("一行目 <b>&\"' Bcc: other@example.com . 二行目"), "{}", mail.subject);
    let lines: Vec<&str> = mail.text.lines().map(str::trim).collect();
    for line in ["一行目 <b>&\"'", "Bcc: other@example.com", ".", "二行目"] {
        assert!(lines.contains(&line), "{line:?} is not a line of\n{}", mail.text);
    }
    assert!(
        mail.html.contains("一行目 &lt;b&gt;&amp;&#34;&#39;<br>Bcc: other@example.com<br>.<br>二行目"),
        "{}",
        mail.html
    );
}
