#!/usr/bin/env bash
# The SHA-256 of each file that the verifier for browsers is built from; a test holds the committed list against the files.
set -euo pipefail
cd "$(dirname "$0")/.."
find verifier/Cargo.toml verifier/src verifier/wasm/Cargo.toml verifier/wasm/Cargo.lock verifier/wasm/src -type f | LC_ALL=C sort | xargs sha256sum
