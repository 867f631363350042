//! What fails an `icmp` probe; in a network of the test's own, where silence and permissions can be had.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sla_exporter::probe::{self, Budget, Reason, Shared};

use super::{Case, case, complete};
use crate::icmp_network::{NOBODY, in_a_network, sysctl, without_capability};
use crate::support::{failure, module};

async fn ping(case: Case, provoked: &Mutex<Vec<Reason>>) {
    let module = module(&case.module("icmp"));
    let budget = Budget { timeout: Duration::from_secs(2), attempts: 1, spare: Duration::ZERO };
    // Sockets of the network the test is in by now.
    let run = probe::run(&module, &case.target, budget, &Shared::new()).await;
    let (reason, detail) = failure(&run);
    assert_eq!(case.judge(reason, detail), Vec::<String>::new());
    provoked.lock().unwrap().push(reason);
}

#[allow(clippy::unused_async)] // as those of the other pages
pub(super) async fn provoke() {
    let provoked = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&provoked);
    in_a_network(&["route add unreachable 10.0.0.1", "route add prohibit 10.0.0.2"], || async move {
        for case in [
            case(Reason::Dns, &["no-such-host.invalid"], "{}", "no-such-host.invalid"),
            case(Reason::Connect, &["10.0.0.1"], "{}", "10.0.0.1"),
            case(Reason::Connect, &["192.0.2.1", "source_ip_address"], "{source_ip_address: 192.0.2.1}", "127.0.0.1"),
            case(Reason::Permission, &["10.0.0.2"], "{}", "10.0.0.2"),
        ] {
            ping(case, &list).await;
        }
        sysctl("ipv4/icmp_echo_ignore_all", "1");
        ping(case(Reason::Timeout, &["waiting for the echo reply"], "{}", "127.0.0.1"), &list).await;
        sysctl("ipv4/ping_group_range", NOBODY);
        without_capability();
        let cure = &["CAP_NET_RAW", "net.ipv4.ping_group_range"];
        ping(case(Reason::Permission, cure, "{}", "127.0.0.1"), &list).await;
    });
    let provoked = std::mem::take(&mut *provoked.lock().unwrap());
    // Without root there is no such network, which has been said.
    if !provoked.is_empty() {
        complete("icmp", provoked);
    }
}
