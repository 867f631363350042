#!/usr/bin/env bash
# `make run`: installs what is missing, builds, and hands over to the launcher (demo/src/bin/sla-demo-stack.rs), which
# starts the stack in the foreground and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v cargo >/dev/null 2>&1; then
  echo "cargo is missing: install Rust from https://rustup.rs, or use: docker compose up" >&2
  exit 1
fi
deploy/native/install.sh run
# The launcher and the demo first: they are quicker to build, and the launcher knows whether the ports are free.
echo "building the demo (the first time takes a minute or two)"
cargo build --release -p sla-demo
launcher="${CARGO_TARGET_DIR:-target}/release/sla-demo-stack"
"$launcher" --check-ports
echo "building sla-exporter (the first time takes a few minutes)"
cargo build --release -p sla-exporter
exec "$launcher"
