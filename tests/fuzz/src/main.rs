//! libFuzzer with one target of `sla_exporter::fuzzing`, named by the variable `FUZZ_TARGET`. One program for all of them: linking
//! is the slow part. Built and run by `run.sh`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sla_exporter::fuzzing::TARGETS;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names = TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET is `{wanted}`; the targets are {names}")).1
});

fuzz_target!(|data: &[u8]| TARGET(data));
