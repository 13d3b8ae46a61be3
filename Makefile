# `make test` is the one command that proves the project; the others are conveniences.
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'
setup: ## checks what is needed and installs what it can
	@scripts/setup.sh
test: ## every test, on a private PostgreSQL
	@scripts/setup.sh --test
	cargo test --workspace --locked
openapi: ## writes the API document that is committed
	cargo build -q --workspace --locked
	target/debug/flip360 openapi > openapi/flip360.v1.json.new
	mv openapi/flip360.v1.json.new openapi/flip360.v1.json
fmt: ## formats the code
	cargo fmt --all
lint: ## formatting and clippy, as CI does
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: help setup test openapi fmt lint
