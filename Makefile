# The commands of this repository; `make` alone lists them.
#
# `make test` on a fresh Debian machine with Rust installs what it needs (packages by apt, Kafka by Maven, once) and
# works as root as well as for a user who may sudo.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
KAFKA := $(TARGET)/debug/testkit-kafka
# Where .ci/packages installs a Node, if the system's is too old.
export PATH := $(abspath $(TARGET))/tools/node/bin:$(PATH)
# The folders of `stages` that are stages; the others are libraries.
STAGES := $(patsubst stages/%/Cargo.toml,-p stage-%,$(shell grep -l cdylib stages/*/Cargo.toml))
WEB := stages/ws-broadcast/web observability/dashboard
CARGO_DENY := 0.20.2
DENY := $(TARGET)/tools/bin/cargo-deny
AS_ROOT = $(if $(filter-out 0,$(shell id -u)),sudo env PATH="$$PATH" CARGO_TARGET_DIR=$(abspath $(TARGET)))

.PHONY: help packages build web test test-traces test-deploy bench package zig docs lint deny advisories demo

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

packages:
	@.ci/packages

build: packages ## build the pipeline command, all stages and all tests
	cargo build --workspace --all-targets --locked

# The pages that are served are committed, so that nobody needs Node to try it: the tests write them again.
web: $(WEB:%=%/node_modules/.package-lock.json) ## build and test the browser client and the dashboard
	for folder in $(WEB); do npm --prefix $$folder test; done
	git diff --exit-code -- stages/ws-broadcast/web/site observability/dashboard/site

%/node_modules/.package-lock.json: %/package-lock.json | packages
	cd $* && npm ci --no-audit --no-fund

# Stages are shared libraries, which `cargo test` alone does not build: the tests load them, so all is built first.
# Most tests wait more than they work, so twice as many run at a time as there are processors (those of a cluster are
# bound by its lease), and those inside the crates run beside those of the whole.
test: export RUST_TEST_THREADS ?= $(shell echo $$(( 2 * $$(nproc) )))
test: build ## run every test, against real Apache Kafka, and deploy to seven VMs on this machine
	@trap 'wait; $(KAFKA) down' EXIT; \
	$(MAKE) test-deploy PARTS=deploy || failed=1; \
	$(AS_ROOT) deploy/ansible/lab/down; \
	$(KAFKA) up & kafka=$$!; \
	$(MAKE) web; \
	wait $$kafka; \
	.ci/docs $(TARGET)/debug/pipeline --check; \
	(cd observability/dashboard && npm run test:browser); \
	{ cargo test --workspace --locked --doc && cargo test --workspace --locked --no-fail-fast --lib --bins; } \
		>$(TARGET)/units.log 2>&1 & units=$$!; \
	cargo test --workspace --locked --no-fail-fast --test '*' 2>&1 | tee $(TARGET)/test.log || failed=1; \
	wait $$units || failed=1; \
	cat $(TARGET)/units.log; \
	awk '/^test result:/ { passed += $$4; failed += $$6 } END { print passed " passed, " failed " failed" }' \
		$(TARGET)/test.log $(TARGET)/units.log; \
	exit $${failed:-0}

test-traces: packages ## follow trades through Kafka by their traces; JAEGER_URL=http://host:16686 asks that Jaeger for them
	cargo build --workspace --all-targets --locked
	@trap '$(KAFKA) down' EXIT; \
	$(KAFKA) up; \
	JAEGER_URL='$(JAEGER_URL)' cargo test -p pipeline-testkit --locked --test traces

# Only what is measured is optimised: the command, the stages, and two stages that do nothing.
bench: export BENCH_MINUTES ?= 1
bench: build web ## measure each path beside its limit (target/bench/report.md), and the page; PATHS="feed post", BENCH_QUICK=1
	cargo build --release --locked -p pipeline-cli $(STAGES)
	cargo build --release --locked -p pipeline-testkit --example stage_bench_source --example stage_bench_sink --example count_allocations --bin testkit-system
	@trap '$(KAFKA) down' EXIT; \
	$(KAFKA) up; \
	cargo bench -p pipeline-testkit --locked --bench paths -- $(PATHS); \
	cd observability/dashboard && npm run bench

# Packs what the tests are built from; `PROFILE=release` what users get. The lab makes namespaces and mounts, so root runs it.
test-deploy: build ## deploy to seven VMs on this machine and break things there; PARTS="deploy faults" some of it (lab/README.md)
	PROFILE=$(or $(PROFILE),debug) deploy/package/build
	$(AS_ROOT) deploy/ansible/lab/build
	$(AS_ROOT) deploy/ansible/lab/lint
	$(AS_ROOT) deploy/ansible/lab/gcp/test
	$(AS_ROOT) deploy/ansible/lab/test $(PARTS)

package: packages ## build the Debian package and a Containerfile in target/package
	deploy/package/build

zig: ## check the example in Zig; needs a compiler of the version that it was written for: ZIG=…
	cargo build -p pipeline-testkit --locked
	$(MAKE) -C runtime/abi/examples/zig ZIG=$(or $(ZIG),zig)
	$(TARGET)/debug/pipeline-conformance runtime/abi/examples/zig/libstage_ticker.so --delivers --with '{"every_ms":5}'

docs: build ## write the settings tables of the stages' READMEs, and the table of metrics
	@trap '$(KAFKA) down' EXIT; \
	$(KAFKA) up; \
	.ci/docs $(TARGET)/debug/pipeline; \
	METRICS=write cargo test -p pipeline-testkit --locked --test metrics

lint: packages $(DENY) ## check format, clippy, licences, versions and sources
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(DENY) check licenses bans sources

advisories: $(DENY) ## check dependencies against the RustSec database, which must be in reach
	$(DENY) check advisories

demo: packages ## run everything on this machine: exchange, Kafka, three VMs, dashboard
	cargo build --workspace --locked
	$(TARGET)/debug/pipeline-sandbox

$(DENY):
	cargo install cargo-deny --version $(CARGO_DENY) --locked --root $(TARGET)/tools
