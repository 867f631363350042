//! From a probe to a page mail: the shipped rules and templates with real Prometheus, Alertmanager and SMTP.

use std::time::Duration;

use sla_tests::{eventually, http};

use crate::stack::Stack;

/// C2.1, C2.2, C4.2: what breaks is seen, for its function only; who is paged is told, and told when it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_form_pages_and_its_repair_is_told() {
    let stack = Stack::start().await;
    stack.has("sla:function_up:5m{function=\"consumer\"}", 1.0).await;
    stack.has("sla:function_up:5m{function=\"client\"}", 1.0).await;
    assert!(stack.mails.all().is_empty(), "a mail while all is well: {:?}", stack.mails.all());

    http::post(stack.demo, "/break/web_form").await.unwrap();
    stack.has("sla:function_up:5m{function=\"consumer\"}", 0.0).await;
    stack.has("sla:capability_up:5m{function=\"consumer\",capability=\"web_form\"}", 0.0).await;
    stack.has("sla:capability_up:5m{function=\"consumer\",capability=\"click_count\"}", 1.0).await;
    stack.has("sla:function_up:5m{function=\"client\"}", 1.0).await;
    stack.has("count(ALERTS{alertname=\"SlaFunctionDown\",alertstate=\"firing\",function=\"consumer\"})", 1.0).await;
    assert_eq!(http::query(stack.prometheus, "ALERTS{function=\"client\"}").await.unwrap(), []);

    let mail = stack.mail(&["consumer"]).await;
    println!("{}\n{}", mail.subject, mail.text);
    assert!(mail.recipients.contains(&"operations@example.com".to_owned()), "{:?}", mail.recipients);
    for words in ["consumer", "web_form", "/runbooks/SlaFunctionDown"] {
        assert!(mail.text.contains(words), "`{words}` is not in the text:\n{}", mail.text);
        assert!(mail.html.contains(words), "`{words}` is not in the HTML:\n{}", mail.html);
    }
    assert!(!mail.text.contains("<no value>") && !mail.html.contains("<no value>"), "{}", mail.text);
    let japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c));
    assert!(japanese(&mail.subject) && japanese(&mail.text), "Japanese comes first: {}\n{}", mail.subject, mail.text);

    // One outage is one mail: capability and probe are inhibited by the function.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = stack.mails.all().len();
    assert_eq!(before, 1, "{:?}", stack.mails.all().iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    http::post(stack.demo, "/fix/web_form").await.unwrap();
    stack.has("sla:function_up:5m{function=\"consumer\"}", 1.0).await;
    let recovery = eventually("the recovery mail", async || {
        let later = stack.mails.all().split_off(before);
        let subjects: Vec<_> = later.iter().map(|mail| mail.subject.clone()).collect();
        later
            .into_iter()
            .find(|m| m.subject.contains("consumer") && m.subject != mail.subject)
            .ok_or(format!("{subjects:?}"))
    })
    .await;
    println!("{}\n{}", recovery.subject, recovery.text);
    assert!(recovery.subject.contains("復旧"), "{}", recovery.subject);
}

/// Unknown is not up and not down: an exporter that is away for a moment takes nothing down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_exporter_takes_nothing_down() {
    let mut stack = Stack::start().await;
    stack.has("sla:function_up:5m{function=\"consumer\"}", 1.0).await;
    stack.restart_exporter().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    stack.has("sla:function_up:5m{function=\"consumer\"}", 1.0).await;
    stack.has("min(min_over_time(sla:function_up:5m[1m]))", 1.0).await;
    assert_eq!(http::query(stack.prometheus, "ALERTS{severity=\"page\",alertstate=\"firing\"}").await.unwrap(), []);
}

/// Prometheus reads both formats, and queries of dashboards for blackbox_exporter and node_exporter find their metrics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_everything_and_known_dashboards_have_data() {
    let stack = Stack::start().await;
    // OpenMetrics is what Prometheus prefers; the text format comes to it by a detour that asks for that.
    stack.has("up{job=\"sla-exporter\"}", 1.0).await;
    stack.has("up{job=\"text-format\"}", 1.0).await;
    for job in ["sla-exporter", "text-format"] {
        for metric in [
            "probe_success{probe=\"web-app\"}",
            "sla_exporter_scheduler_lag_seconds_count",
            "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}",
        ] {
            let query = format!("{metric} and on (job) up{{job=\"{job}\"}}");
            eventually(&query, async || http::value(stack.prometheus, &query).await).await;
        }
    }
    stack.has("up{job=\"hosts\",host=\"demo\"}", 1.0).await;
    stack.has("sla:function_up:5m{function=\"client\"}", 1.0).await;
    let openmetrics =
        http::get_with(stack.exporter_port, "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    let openmetrics = openmetrics.await.unwrap();
    assert!(
        openmetrics.head.contains("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{}",
        openmetrics.head
    );
    assert!(openmetrics.body.ends_with("# EOF\n"));
    let text = http::get_with(stack.exporter_port, "/metrics", "Accept: text/plain;version=0.0.4\r\n").await.unwrap();
    assert!(text.head.contains("text/plain; version=0.0.4; charset=utf-8"), "{}", text.head);
    let samples = |page: &str| page.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&text.body), samples(&openmetrics.body));

    for query in [
        // "Prometheus Blackbox Exporter" and blackbox-mixin
        "probe_success{target=~\".+\"}",
        "avg(probe_duration_seconds{target=~\".+\"})",
        "avg(probe_dns_lookup_time_seconds{target=~\".+\"})",
        "avg(probe_http_duration_seconds{target=~\".+\"}) by (phase)",
        "avg(probe_icmp_duration_seconds{target=~\".+\"}) by (phase)",
        "probe_http_status_code{target=~\".+\"}",
        "probe_http_version{target=~\".+\"}",
        "probe_http_ssl{target=~\".+\"}",
        "count(probe_success == 1) / count(probe_success)",
        // "Node Exporter Full" and node-mixin
        "scalar(node_load1{job=\"hosts\"}) * 100 / count(count(node_cpu_seconds_total) by (cpu))",
        "sum by (mode) (rate(node_cpu_seconds_total{mode!=\"idle\"}[30s]))",
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        "node_filesystem_avail_bytes{fstype!=\"\"} / node_filesystem_size_bytes * 100",
        "node_filesystem_files_free / node_filesystem_files",
        "node_time_seconds - node_boot_time_seconds",
        "rate(node_disk_reads_completed_total[30s])",
        "rate(node_network_receive_bytes_total{device!=\"lo\"}[30s])",
        "node_uname_info",
        // and the inventory's
        "sla_host_info{host=\"demo\"}",
        "sla_threshold{role=\"web\"}",
    ] {
        eventually(query, async || match http::query(stack.prometheus, query).await? {
            rows if rows.is_empty() => Err("no series".to_owned()),
            _ => Ok(()),
        })
        .await;
    }
}
