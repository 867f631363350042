//! Pings in a network namespace of the test's own, where silence, refusals and permissions can be had:
//! nothing of this machine's network is touched. Needs root; without it the tests say what they did not test.

use std::future::Future;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::thread::{CapabilitySet, UnshareFlags, capabilities, set_capabilities};
use sla_exporter::probe::{self, Budget, Metric, Reason, Run, Shared};

use crate::support::{failure, module, succeeded, value};

/// Runs `test` on a thread in a fresh network namespace, after these `ip` commands.
pub(crate) fn in_a_network<F: Future<Output = ()>>(setup: &[&str], test: impl FnOnce() -> F + Send + 'static) {
    let setup: Vec<String> = setup.iter().map(|&line| line.to_owned()).collect();
    let thread = std::thread::spawn(move || {
        // Of this thread only; its sockets and child processes are in the new namespace.
        #[allow(deprecated)] // deprecated for its file descriptor flag, which is not used
        if let Err(error) = rustix::thread::unshare(UnshareFlags::NEWNET) {
            println!("NOT TESTED: no network namespace of our own ({error}); run as root");
            return;
        }
        ip("link set lo up");
        setup.iter().for_each(|line| ip(line));
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    });
    thread.join().unwrap();
}

fn ip(line: &str) {
    let status = Command::new("ip").args(line.split(' ')).status().expect("apt-get install iproute2");
    assert!(status.success(), "ip {line}");
}

/// A setting of the network namespace.
pub(crate) fn sysctl(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

pub(crate) const NOBODY: &str = "1 0";
const EVERYBODY: &str = "0 2147483647";

async fn ping(section: &str, target: &str, timeout: Duration, shared: &Shared) -> Run {
    let module = module(&format!("{{prober: icmp, icmp: {section}}}"));
    probe::run(&module, target, Budget { timeout, attempts: 1, spare: Duration::ZERO }, shared).await
}

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn silence_is_a_timeout_and_its_late_end_disturbs_nobody() {
    in_a_network(&[], || async {
        let shared = Shared::new();
        sysctl("ipv4/icmp_echo_ignore_all", "1");
        let silent = ping("{}", "127.0.0.1", Duration::from_millis(300), &shared).await;
        let (reason, detail) = failure(&silent);
        assert_eq!(reason, Reason::Timeout);
        assert!(detail.contains("waiting for the echo reply"), "{detail}");
        assert!(silent.duration < PATIENCE);
        sysctl("ipv4/icmp_echo_ignore_all", "0");
        succeeded(&ping("{}", "127.0.0.1", PATIENCE, &shared).await);
    });
}

#[test]
fn hundreds_of_silent_targets_hold_up_no_answering_one() {
    in_a_network(&["link add v0 type veth peer name v1", "link set v0 up", "link set v1 up"], || async {
        // The other end of the wire answers nothing: it is nobody's address.
        ip("addr add 10.0.0.1/8 dev v0");
        ip("neigh add 10.0.0.2 lladdr 02:00:00:00:00:01 dev v0");
        let shared = Shared::new();
        let silent = join_all((0..400).map(|_| ping("{}", "10.0.0.2", Duration::from_secs(3), &shared)));
        let answered = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ping("{}", "127.0.0.1", Duration::from_secs(2), &shared).await
        };
        tokio::select! {
            _ = silent => panic!("the silent ones ended first"),
            run = answered => succeeded(&run),
        }
    });
}

#[test]
fn what_the_system_knows_to_be_unreachable_is_said_at_once() {
    in_a_network(&["route add unreachable 10.0.0.1"], || async {
        let shared = Shared::new();
        for target in ["10.0.0.1", "10.0.0.2", "2001:db8::1"] {
            let run = ping("{}", target, PATIENCE, &shared).await;
            let (reason, detail) = failure(&run);
            assert_eq!(reason, Reason::Connect, "{target}: {detail}");
            assert!(detail.contains("unreachable") || detail.contains("No route to host"), "{target}: {detail}");
            assert!(run.duration < Duration::from_secs(5));
        }
    });
}

/// A host of its own beyond `wire`, one end of a pair of interfaces; gone when dropped.
struct Neighbour {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Neighbour {
    fn behind(wire: &str, setup: &[&str], sysctls: &[(&str, &str)]) -> Self {
        let (say_id, id) = mpsc::channel();
        let (say_moved, moved) = mpsc::channel();
        let (say_ready, ready) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let setup: Vec<String> = setup.iter().map(|&line| line.to_owned()).collect();
        let sysctls: Vec<_> = sysctls.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let thread = std::thread::spawn(move || {
            #[allow(deprecated)]
            rustix::thread::unshare(UnshareFlags::NEWNET).unwrap();
            say_id.send(rustix::thread::gettid().as_raw_nonzero()).unwrap();
            let () = moved.recv().unwrap();
            for (name, value) in &sysctls {
                sysctl(name, value);
            }
            ip("link set lo up");
            setup.iter().for_each(|line| ip(line));
            say_ready.send(()).unwrap();
            // The namespace lives as long as this thread does.
            let _ = stopped.recv();
        });
        ip(&format!("link set {wire} netns {}", id.recv().unwrap()));
        say_moved.send(()).unwrap();
        ready.recv().unwrap();
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop.take();
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

#[test]
fn what_a_router_reports_ends_the_wait_and_what_it_advises_does_not() {
    let setup = [
        "link add br0 type bridge",
        "link add r0 type veth peer name r1",
        "link add h0 type veth peer name h1",
        "link set r0 master br0",
        "link set h0 master br0",
        "link set r0 up",
        "link set h0 up",
        "link set br0 up",
        "addr add 10.0.0.1/24 dev br0",
        "route add default via 10.0.0.254",
    ];
    in_a_network(&setup, || async {
        sysctl("ipv4/ping_group_range", NOBODY);
        let _router = Neighbour::behind(
            "r1",
            &[
                "addr add 10.0.0.254/24 dev r1",
                "link set r1 up",
                "route add unreachable 10.1.0.0/16",
                "route add prohibit 10.2.0.0/16",
                // Back where it came from: the router forwards it and tells the sender of the shorter way.
                "route add 10.3.0.0/16 via 10.0.0.3",
                // A narrower link beyond it.
                "link add d0 type veth peer name d1",
                "link set d0 mtu 1000",
                "link set d0 up",
                "link set d1 up",
                "addr add 10.4.0.254/24 dev d0",
            ],
            &[("ipv4/ip_forward", "1"), ("ipv4/conf/all/send_redirects", "1")],
        );
        let _host = Neighbour::behind(
            "h1",
            &["addr add 10.0.0.3/24 dev h1", "addr add 10.3.0.1/32 dev lo", "link set h1 up"],
            &[],
        );
        let shared = Shared::new();
        for (section, target, part) in [
            ("{}", "10.1.0.1", "host unreachable, says a router"),
            ("{}", "10.2.0.1", "a firewall rejects it"),
            ("{ttl: 1}", "10.3.0.1", "time to live exceeded"),
            ("{dont_fragment: true, payload_size: 1200}", "10.4.0.1", "too large for the way"),
            // The system has learnt of it by now, and asks the router all the same.
            ("{dont_fragment: true, payload_size: 1200}", "10.4.0.1", "too large for the way"),
        ] {
            let run = ping(section, target, PATIENCE, &shared).await;
            let (reason, detail) = failure(&run);
            assert_eq!(reason, Reason::Connect, "{target}: {detail}");
            assert!(detail.contains(part), "{target}: {detail}");
            assert!(run.duration < Duration::from_secs(5));
            assert_eq!(value(&run, Metric::IcmpReplyHopLimit), None, "no reply, no hops");
        }
        // Taking no advice, the router repeats it: each of these has a redirect come before its reply.
        sysctl("ipv4/conf/all/accept_redirects", "0");
        sysctl("ipv4/conf/br0/accept_redirects", "0");
        for _ in 0..3 {
            succeeded(&ping("{}", "10.3.0.1", PATIENCE, &shared).await);
        }
    });
}

#[test]
fn unprivileged_sockets_do_where_the_system_permits_them() {
    in_a_network(&[], || async {
        sysctl("ipv4/ping_group_range", EVERYBODY);
        without_capability();
        let shared = Shared::new();
        for target in ["127.0.0.1", "::1"] {
            let run = ping("{}", target, PATIENCE, &shared).await;
            succeeded(&run);
            assert_eq!(value(&run, Metric::IcmpReplyHopLimit), None, "datagram sockets do not tell");
        }
        join_all((0..500).map(|_| ping("{}", "127.0.0.1", PATIENCE, &shared))).await.iter().for_each(succeeded);
    });
}

#[test]
fn the_largest_payloads_come_back_even_at_once() {
    // Alone in the network: a raw socket's buffer holds all that goes by.
    in_a_network(&[], || async {
        sysctl("ipv4/ping_group_range", NOBODY);
        let shared = Shared::new();
        let pings = (0..20).map(|_| ping("{payload_size: 65507}", "127.0.0.1", PATIENCE, &shared));
        join_all(pings).await.iter().for_each(succeeded);
    });
}

#[test]
fn a_request_that_may_not_be_fragmented_fits_or_fails() {
    in_a_network(&["link set lo mtu 1500"], || async {
        for group in [NOBODY, EVERYBODY] {
            sysctl("ipv4/ping_group_range", group);
            let shared = Shared::new();
            succeeded(&ping("{payload_size: 2000}", "127.0.0.1", PATIENCE, &shared).await);
            // 20 bytes of IP and 8 of ICMP beside it.
            succeeded(&ping("{dont_fragment: true, payload_size: 1472}", "127.0.0.1", PATIENCE, &shared).await);
            let run = ping("{dont_fragment: true, payload_size: 1473}", "127.0.0.1", PATIENCE, &shared).await;
            let (reason, detail) = failure(&run);
            assert_eq!(reason, Reason::Connect, "{detail}");
            assert!(detail.contains("lower payload_size"), "{detail}");
            // Over IPv6 it has no meaning, and does no harm.
            succeeded(&ping("{dont_fragment: true, payload_size: 2000}", "::1", PATIENCE, &shared).await);
        }
    });
}

#[test]
fn raw_sockets_do_with_the_capability_alone_and_tell_the_hop_limit() {
    in_a_network(&[], || async {
        sysctl("ipv4/ping_group_range", NOBODY);
        let run = ping("{}", "127.0.0.1", PATIENCE, &Shared::new()).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::IcmpReplyHopLimit), Some(64.0));
        succeeded(&ping("{}", "::1", PATIENCE, &Shared::new()).await);
    });
}

#[test]
fn without_permission_the_cure_is_named_and_taking_it_needs_no_restart() {
    in_a_network(&[], || async {
        sysctl("ipv4/ping_group_range", NOBODY);
        let all = without_capability();
        let shared = Shared::new();
        for target in ["127.0.0.1", "::1"] {
            let run = ping("{}", target, PATIENCE, &shared).await;
            let (reason, detail) = failure(&run);
            assert_eq!(reason, Reason::Permission, "{detail}");
            assert!(detail.contains("CAP_NET_RAW") && detail.contains("net.ipv4.ping_group_range"), "{detail}");
        }
        set_capabilities(None, all).unwrap();
        sysctl("ipv4/ping_group_range", EVERYBODY);
        without_capability();
        // Not tried again at once: a thousand probes would each try.
        assert_eq!(failure(&ping("{}", "127.0.0.1", PATIENCE, &shared).await).0, Reason::Permission);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
        succeeded(&ping("{}", "127.0.0.1", PATIENCE, &shared).await);
    });
}

#[test]
fn without_ipv6_only_its_targets_fail() {
    in_a_network(&[], || async {
        sysctl("ipv6/conf/all/disable_ipv6", "1");
        let shared = Shared::new();
        let run = ping("{}", "::1", PATIENCE, &shared).await;
        let (reason, detail) = failure(&run);
        assert_eq!(reason, Reason::Connect, "{detail}");
        succeeded(&ping("{}", "127.0.0.1", PATIENCE, &shared).await);
    });
}

/// Gives up CAP_NET_RAW, of this thread only, until what it returns is set again.
pub(crate) fn without_capability() -> rustix::thread::CapabilitySets {
    let all = capabilities(None).unwrap();
    let mut fewer = all;
    fewer.effective.remove(CapabilitySet::NET_RAW);
    set_capabilities(None, fewer).unwrap();
    all
}
