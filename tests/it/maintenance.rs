//! An announced maintenance, from the ledger to the mail: the exporter's metrics, Prometheus' rules, Alertmanager's routing.

use std::time::Duration;

use jiff::Timestamp;
use sla_tests::http;

use crate::stack::Stack;

/// C2.3, C4.1.2: nobody is paged for what was announced; whoever overruns is paged as soon as the announced end has passed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announced_stop_pages_nobody_until_its_announced_end() {
    let stack = Stack::start().await;
    stack.has("sla:function_up:5m{function=\"consumer\"}", 1.0).await;
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let end = now + Duration::from_secs(40);
    let (start, announced) = (now - Duration::from_secs(5), now - Duration::from_secs(20 * 86_400));
    stack
        .set_ledger(&format!(
            "maintenance:\n  - id: now\n    title: {{ja: 定期メンテナンス, en: Regular maintenance}}\n    functions: [consumer]\n    \
             announced_at: {announced}\n    start: {start}\n    end: {end}\n"
        ))
        .await;
    stack
        .has("count(ALERTS{alertname=\"SlaMaintenanceInProgress\",alertstate=\"firing\",function=\"consumer\"})", 1.0)
        .await;
    http::post(stack.demo, "/break/web_form").await.unwrap();
    stack.has("count(ALERTS{alertname=\"SlaFunctionDown\",alertstate=\"firing\",function=\"consumer\"})", 1.0).await;
    assert!(Timestamp::now() < end, "this machine is too slow for this test: the maintenance is over");

    while Timestamp::now() < end {
        // Customers are told that it has begun, and only they.
        let inside = stack.mails.all().into_iter().filter(|mail| !mail.to.starts_with("customer-"));
        let paged: Vec<String> = inside.map(|mail| mail.subject).collect();
        assert!(paged.is_empty() || Timestamp::now() >= end, "paged during the maintenance: {paged:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let page = stack.mail(&["発生 FIRING", "synergy-lead/consumer"]).await;
    let late = Timestamp::now().duration_since(end).as_secs_f64();
    println!("paged {late:.1} s after the announced end: {}", page.subject);
    // An evaluation of a second and a group_interval of two, here; on a machine that has other work as well.
    assert!(late < 30.0, "{late} s");
    assert_eq!(page.recipients, ["operations@example.com"]);
    stack
        .has("count(ALERTS{alertname=\"SlaMaintenanceOverrun\",alertstate=\"firing\",function=\"consumer\"})", 1.0)
        .await;

    http::post(stack.demo, "/fix/web_form").await.unwrap();
    let over = stack.mail(&["復旧 RESOLVED", "synergy-lead/consumer"]).await;
    assert!(over.text.contains("SlaFunctionDown") || over.text.contains("SlaMaintenanceOverrun"), "{}", over.text);
}
