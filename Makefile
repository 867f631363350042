# The commands of the project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help build run test fuzz lint fmt check bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the exporter, optimised: target/release/sla-exporter
	cargo build --release -p sla-exporter

# Ports can be chosen, here or in the environment: make run EXPORTER_PORT=… PROMETHEUS_PORT=… ALERTMANAGER_PORT=…
# DEMO_PORT=… DEMO_TLS_PORT=… SMTP_PORT=… MAIL_PORT=… GRAFANA_PORT=… NO_HISTORY=1: without the invented year. Grafana runs where `grafana` is on
# the PATH.
run: ## the whole stack with a demo service, in the foreground; Ctrl-C ends it
	@deploy/native/run.sh

test: ## everything that is tested, parsers fuzzed beside it for a minute each; installs what it needs on Debian
	@deploy/native/install.sh test
	@$(MAKE) --no-print-directory lint
	cargo build --workspace --bins
	@tests/fuzz/run.sh --beside cargo test --workspace

fuzz: ## what targets send, invented: FUZZ_SECONDS (60) for each parser, and nothing else
	@deploy/native/install.sh test
	@tests/fuzz/run.sh

lint: ## formatting and clippy, warnings refused
	@rustup component add rustfmt clippy >/dev/null 2>&1 || true
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fmt: ## formats the code
	cargo fmt --all

check: ## the shipped configuration
	cargo run --quiet -p sla-exporter -- check config/sla.yml

bench: ## figures next to the peers', in one run; takes minutes
	@deploy/native/install.sh test
	cargo build --release -p sla-exporter
	cargo bench -p sla-tests --bench months
	cargo bench -p sla-tests --bench peers
