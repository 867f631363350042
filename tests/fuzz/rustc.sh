#!/usr/bin/env bash
# rustc for `run.sh`: this workspace's library and the fuzzing program get libFuzzer's coverage, in flags that stable Rust has.
# Everything else is compiled as ever and shared with the other builds.
set -euo pipefail
compiler=$1
shift
case " $* " in
  *" --test "*) exec "$compiler" "$@" ;;
  *" --crate-name sla_exporter "*" exporter/src/lib.rs "* | *" --crate-name sla_fuzz "*)
    exec "$compiler" "$@" --cfg fuzzing -Cdebuginfo=line-tables-only -Cdebug-assertions -Cpasses=sancov-module \
      -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
      -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares ;;
  *) exec "$compiler" "$@" ;;
esac
