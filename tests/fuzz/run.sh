#!/usr/bin/env bash
# Fuzzes the targets named, or all of them, two at a time: FUZZ_SECONDS each (60 by default), from the corpus that is kept here.
# What it finds on the way is kept for the next run under target/fuzz; run.sh --merge brings what is new of it into the corpus.
# run.sh --beside COMMAND… fuzzes all of them, niced, while the command runs; it fails when either does.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/fuzz
seconds=${FUZZ_SECONDS:-60}
case $seconds in '' | *[!0-9]*) echo "FUZZ_SECONDS is \`$seconds\`; write a number of seconds such as 60" >&2; exit 2 ;; esac
merge=""
beside=()
if [ "${1:-}" = --merge ]; then merge=1; shift; fi
if [ "${1:-}" = --beside ]; then
  shift
  beside=("$@")
  set --
fi
if [ $# -eq 0 ]; then
  mapfile -t targets < <(find "$here/corpus" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
else
  targets=("$@")
fi
for target in "${targets[@]}"; do
  if [ ! -d "$here/corpus/$target" ]; then
    echo "no target \`$target\`; there are: $(ls "$here/corpus" | tr '\n' ' ')" >&2
    exit 2
  fi
done
if ! command -v c++ >/dev/null 2>&1; then
  echo "no C++ compiler for libFuzzer; install one: apt-get install --no-install-recommends g++" >&2
  exit 1
fi

# As `cargo build --workspace` chooses features, so that dependencies are there already.
if [ -z "${FUZZ_BUILT:-}" ]; then
  RUSTC_WORKSPACE_WRAPPER="$PWD/$here/rustc.sh" cargo build --workspace --bin sla-fuzz --features sla-fuzz/engine
fi
work=${CARGO_TARGET_DIR:-target}/fuzz
program=${CARGO_TARGET_DIR:-target}/debug/sla-fuzz
mkdir -p "$work"
options=(-max_len=16384 -timeout=20 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=1)

fuzz() {
  local target=$1 log="$work/$1.log" found="$work/$1"
  mkdir -p "$found" "$work/findings"
  local status=0 words=()
  if [ -f "$here/$target.dict" ]; then words=("-dict=$here/$target.dict"); fi
  FUZZ_TARGET=$target "$program" "$found" "$here/corpus/$target" "${options[@]}" "${words[@]}" -max_total_time="$seconds" \
    -artifact_prefix="$work/findings/$target-" >"$log" 2>&1 || status=$?
  if [ $status -eq 0 ]; then
    # `#1234 DONE cov: 56 …` says how much was tried and reached.
    printf 'fuzz %-13s %s\n' "$target" "$(grep -E '^#[0-9]+[[:space:]]+DONE' "$log" | tail -n 1 | tr -s '\t ' ' ')"
    return 0
  fi
  {
    echo "fuzz $target: an input ended the process, or took too long. The end of $log:"
    tail -n 25 "$log"
    echo "Again: FUZZ_TARGET=$target $program $(sed -n 's/^.*Test unit written to //p' "$log" | tail -n 1)"
    echo "Mended, keep the input as $here/corpus/$target/<what it is>: cargo test gives it to the function ever after."
  } >&2
  return 1
}

if [ ${#beside[@]} -gt 0 ]; then
  # Another process, in a group of its own: what is to be ended early is more than one.
  set -m
  FUZZ_BUILT=1 nice -n 19 "$here/run.sh" >"$work/beside.log" 2>&1 &
  fuzzing=$!
  set +m
  trap 'kill -- -"$fuzzing" 2>/dev/null || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  "${beside[@]}"
  status=0
  wait "$fuzzing" || status=$?
  cat "$work/beside.log"
  exit $status
fi

if [ -n "$merge" ]; then
  for target in "${targets[@]}"; do
    # Only what is small: the corpus is for the repository.
    FUZZ_TARGET=$target "$program" -merge=1 -max_len=2048 "$here/corpus/$target" "$work/$target" >"$work/$target.merge.log" 2>&1
    printf 'fuzz %-13s %s inputs\n' "$target" "$(find "$here/corpus/$target" -type f | wc -l)"
  done
  exit 0
fi

echo "fuzz ${targets[*]}: $seconds s each, two at a time"
failed=0
pending=()
for target in "${targets[@]}"; do
  if [ ${#pending[@]} -ge 2 ]; then
    wait "${pending[0]}" || failed=1
    pending=("${pending[@]:1}")
  fi
  fuzz "$target" &
  pending+=($!)
done
for job in "${pending[@]}"; do
  wait "$job" || failed=1
done
exit $failed
