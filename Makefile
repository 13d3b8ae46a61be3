# `make demo` shows what the platform does, `make test` proves it; the others are conveniences.
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:/opt/homebrew/opt/libpq/bin:/usr/local/opt/libpq/bin:$(PATH)
BUILD := cargo build --workspace --bin flip360 --locked
RUN := cargo run -q --bin flip360 --locked --
OUT ?= demo-out

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'
setup: ## checks what is needed and installs what it can
	@scripts/setup.sh
demo: setup ## one referral business from export to paid and proved; writes demo-out/
	$(BUILD)
	$(RUN) demo --out $(OUT)
test: ## every test, on a private PostgreSQL
	@scripts/setup.sh --test
	@rm -f target/skipped.txt
	cargo test --workspace --locked --no-fail-fast
	@if [ -s target/skipped.txt ]; then echo "$$(wc -l < target/skipped.txt) checks by programs of other people were SKIPPED:"; sort target/skipped.txt | uniq -c; else echo "nothing was skipped"; fi
contract: setup ## the API document fuzzed in full: 200 requests an operation, twice
	@scripts/setup.sh --test
	FLIP360_CONTRACT_EXAMPLES=200 cargo test --workspace --locked --test contract -- --nocapture
serve: setup ## the API at http://127.0.0.1:8360, its data in .flip360
	$(BUILD)
	$(RUN) serve
doctor: setup ## says whether this set-up works, and what to do where it does not
	$(BUILD)
	$(RUN) doctor
measure: setup ## start time, resident memory, size of the binary
	scripts/measure.sh
bench: setup ## imports, settlements, reads and webhooks a second, on a durable cluster, beside yardsticks
	cargo build --workspace --release --locked --bin import-bench --bin counter-bench --bin read-bench --bin settle-bench --bin webhook-bench
	target/release/import-bench 3
	target/release/counter-bench
	target/release/settle-bench 3
	target/release/read-bench 4
	target/release/webhook-bench 3
ledger-bench: setup ## posting through the batch endpoint beside bare SQL, hot and cold, to ENTRIES (10⁶); reads at that size
	cargo build --workspace --release --locked --bin ledger-bench
	target/release/ledger-bench $(or $(ENTRIES),1000000)
stripe-rehearsal: setup ## the checklist of payouts by Stripe, against a double; with FLIP360_STRIPE_KEY=sk_test_… against Stripe itself
	@scripts/setup.sh --test
	cargo run -q -p flip360-tests --bin stripe-rehearsal --locked
fuzz-agreements: ## agreements broken at random for MINUTES (10), with overflow checks; SEED chooses the inputs
	FLIP360_FUZZ_MINUTES=$(or $(MINUTES),10) FLIP360_FUZZ_SEED=$(or $(SEED),1) cargo test -p domain --release --locked --target-dir target/fuzz \
	  --config profile.release.overflow-checks=true --config profile.release.debug-assertions=true --test agreements_fuzz -- --nocapture
engine-bench: ## deals a second through the engine, beside the crates cel and zen-engine; a build of its own
	cargo run --release --locked --manifest-path tests/load/engine/Cargo.toml --target-dir target/engine
simulate-bench: setup ## deals a second through a simulation of 10⁴, 10⁵, 10⁶ deals, and the memory it takes
	cargo build --workspace --release --locked --bin simulate-bench
	target/release/simulate-bench
chain-bench: setup ## the log: commits, integration, proofs at a million leaves, export, audit, growth to 10⁷; some ten minutes
	cargo build --workspace --release --locked --bin chain-bench
	target/release/chain-bench
payout-bench: setup ## a payout run over 100,000 payees: preview, bank files, memory; some minutes
	cargo build --workspace --release --locked --bin payout-bench
	target/release/payout-bench
sequencer-race: ## two sequencers of their own processes on one database, for 300,000 leaves: about a minute
	FLIP360_RACE_LEAVES=$(or $(LEAVES),300000) cargo test -p flip360-tests --locked --test crash -- --nocapture two_sequencers
sdks: setup ## typed clients for TypeScript, Python and Rust, into target/sdks
	@scripts/setup.sh --test
	scripts/sdks.sh
collection: setup ## the API as a Postman collection, which is committed
	@scripts/setup.sh --test
	node scripts/collection.mjs
openapi: ## writes the API document that is committed
	$(BUILD)
	$(RUN) openapi > openapi/flip360.v1.json.new
	mv openapi/flip360.v1.json.new openapi/flip360.v1.json
fmt: ## formats the code
	cargo fmt --all
lint: ## formatting and clippy, as CI does
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings


.PHONY: help setup demo bench payout-bench ledger-bench chain-bench sequencer-race engine-bench simulate-bench fuzz-agreements collection contract sdks test serve doctor measure openapi fmt lint
