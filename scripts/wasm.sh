#!/usr/bin/env bash
# Builds the verifier for browsers: verifier/wasm/verifier.wasm, which is committed, and the digest of what it was built from.
#
# Takes rustup's standard library for wasm32-unknown-unknown where it is or can be had; otherwise Debian's rustc-web with its
# sources of the standard library (packages rustc-web cargo-web rust-web-src lld), which it then builds too (some 90 seconds).
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
dir="$PWD/target/wasm"
made="$dir/$target/release/verifier_wasm.wasm"
flags=(build --release --manifest-path verifier/wasm/Cargo.toml --target $target --target-dir "$dir" --locked)

if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] && command -v rustup >/dev/null 2>&1; then
  timeout 120 rustup target add $target >/dev/null 2>&1 || true
fi
export RUSTFLAGS="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  cargo "${flags[@]}"
else
  if ! [ -d /usr/lib/rustlib/src/rust/library ] || ! command -v wasm-ld >/dev/null 2>&1; then
    command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || {
      echo "wasm.sh: needs the standard library for $target. Type: rustup target add $target" >&2
      exit 1
    }
    apt-get install -y -qq --no-install-recommends rustc-web cargo-web rust-web-src lld >/dev/null
  fi
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
    /usr/bin/cargo "${flags[@]}" -Zbuild-std=std,panic_abort
fi
cp "$made" verifier/wasm/verifier.wasm
scripts/wasm-sources.sh > verifier/wasm/verifier.wasm.sources
ls -l verifier/wasm/verifier.wasm
