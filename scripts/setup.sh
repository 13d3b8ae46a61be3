#!/usr/bin/env bash
# Checks what building, running and testing need, installs what is missing where it can, otherwise says what to type.
#
#   scripts/setup.sh          what `make demo` needs: Rust, a C compiler, libpq, PostgreSQL's server programs
#   scripts/setup.sh --test   also the programs of other people that check ours; each is optional and named when absent
#
# FLIP360_NO_INSTALL=1 only looks. Works as root, with sudo that asks for no password, and without either.
# Written for bash 3.2 as well, which is what macOS has.
set -euo pipefail
cd "$(dirname "$0")/.."
for place in "$HOME/.cargo/bin" /opt/homebrew/opt/libpq/bin /usr/local/opt/libpq/bin; do
  [ -d "$place" ] && PATH="$place:$PATH"
done
POSTGRES_OLDEST=14
RUST_OLDEST="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"
RUSTUP_LINE="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt,clippy"

note() { echo "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
may_install() { [ -z "${FLIP360_NO_INSTALL:-}" ]; }
may_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
# newer 1.95.0 1.89: whether the first version is the second or newer.
newer() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]; }

# --- looking -------------------------------------------------------------------------------------------------------
rust_version() { rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p'; }
rust() { have cargo && local v && v="$(rust_version)" && [ -n "$v" ] && newer "$v" "$RUST_OLDEST"; }
compiler() { have cc; }
libpq() {
  have pg_config || return 1
  local lib ; lib="$(pg_config --libdir)"
  [ -e "$lib/libpq.so" ] || [ -e "$lib/libpq.dylib" ] || [ -e "$lib/libpq.a" ]
}
# The same places as persistence/src/cluster/binaries.rs; the newest that is new enough.
server() {
  local dir major
  for dir in "${FLIP360_PG_BIN:-}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin /home/linuxbrew/.linuxbrew/opt/postgresql@*/bin $(echo "$PATH" | tr ':' ' '); do
    [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] || continue
    major="$("$dir/postgres" --version | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p')"
    [ "${major:-0}" -ge "$POSTGRES_OLDEST" ] && return 0
  done
  return 1
}
gomod() { have go && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ]; }

# --- what to type --------------------------------------------------------------------------------------------------
say() {
  case "$1" in
    rust)
      if have rustup; then echo "Rust $RUST_OLDEST or newer. Type: rustup toolchain install stable && rustup default stable"
      else echo "Rust $RUST_OLDEST or newer. Type: $RUSTUP_LINE"; fi ;;
    compiler) echo "a C compiler. Type: $(type_install build-essential gcc) (macOS: xcode-select --install)" ;;
    libpq) echo "PostgreSQL's client library. Type: $(type_install libpq-dev libpq-devel libpq)" ;;
    node_tools) echo "Needed: Node 20 or newer with npm, and network. Type: $(type_install "nodejs npm" "nodejs npm" node)" ;;
    python_tools | xsd_tools) echo "Needed: Python 3.10 or newer with venv, and network. Type: $(type_install python3-venv python3 python3)" ;;
    server) echo "PostgreSQL's server, $POSTGRES_OLDEST or newer. Type: $(type_install postgresql postgresql-server postgresql@17), or set FLIP360_PG_BIN" ;;
  esac
}
type_install() {
  if have apt-get; then echo "sudo apt-get install $1"
  elif have dnf; then echo "sudo dnf install ${2:-$1}"
  elif have brew; then echo "brew install ${3:-${2:-$1}}"
  else echo "the package manager's command for $1"; fi
}

# --- installing ----------------------------------------------------------------------------------------------------
apt_candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p' | sed 's/^[0-9]*://'; }
updated=
apt_update() { [ -n "$updated" ] || { root apt-get update -qq >/dev/null 2>&1 || note "apt-get update failed; trying with the lists at hand"; updated=1; }; }
apt_install() {
  note "installing $*"
  # Debian's package would make and start a cluster of its own; ours is private to its data directory.
  root mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] \
    || echo 'create_main_cluster = false' | root tee /etc/postgresql-common/createcluster.conf >/dev/null
  apt_update
  root env DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 "$@" </dev/null >/dev/null
}
# install_packages APT DNF BREW
install_packages() {
  if have apt-get && may_be_root; then apt_install "$1"
  elif have dnf && may_be_root && [ -n "$2" ]; then note "installing $2" ; root timeout 600 dnf install -y -q "$2" </dev/null
  elif have brew && [ "$(id -u)" != 0 ] && [ -n "$3" ]; then note "installing $3" ; brew install --quiet "$3" </dev/null
  else return 1; fi
}
install_rust() {
  if ! have rustup && ! have cargo && have apt-get && may_be_root; then
    apt_update
    if [ -n "$(apt_candidate rustup | grep -v none)" ]; then apt_install rustup || true
    elif newer "$(apt_candidate cargo | grep -o '^[0-9.]*' || echo 0)" "$RUST_OLDEST"; then apt_install cargo || true; apt_install rustfmt || true; apt_install rust-clippy || true
    fi
    hash -r
  fi
  rust && return 0
  have rustup || return 1
  note "rustup: installing the stable toolchain"
  timeout 900 rustup toolchain install stable --profile minimal -c rustfmt -c clippy </dev/null || return 1
  # An older default stays what it is elsewhere; this folder uses stable.
  rust || rustup override set stable
}
put_in() {
  case "$1" in
    rust) install_rust ;;
    compiler) install_packages build-essential gcc "" ;;
    libpq) install_packages libpq-dev libpq-devel libpq ;;
    server) install_packages postgresql postgresql-server postgresql@17 ;;
  esac
}

# --- programs under target/contract, as tests/contract pins them ------------------------------------------------------
# fresh DIR PINS: whether what these pins ask for is installed in that directory.
fresh() { [ -e "$1/pins" ] && cmp -s "$1/pins" "$2"; }
node_tools() {
  local dir=target/contract/node pins=tests/contract/package-lock.json
  fresh $dir $pins && return 0
  may_install || return 1
  have npm || { have apt-get && may_be_root && apt_install npm; } || return 1
  note "installing the linters and generators of npm (once)"
  mkdir -p $dir && cp tests/contract/package.json $pins $dir/
  timeout 600 npm ci --silent --ignore-scripts --no-audit --no-fund --prefix $dir </dev/null >/dev/null 2>&1 && cp $pins $dir/pins
}
python_tools() {
  local dir=target/contract/python pins=tests/contract/requirements.txt
  fresh $dir $pins && return 0
  may_install && have python3 || return 1
  note "installing the fuzzer, validator and generator of PyPI (once)"
  rm -rf $dir && mkdir -p target/contract
  python3 -m venv $dir >/dev/null 2>&1 \
    || { rm -rf $dir; have apt-get && may_be_root && apt_install python3-venv && python3 -m venv $dir >/dev/null 2>&1; } || return 1
  timeout 600 $dir/bin/python3 -m pip install --quiet --disable-pip-version-check -r $pins </dev/null >/dev/null 2>&1 && cp $pins $dir/pins
}

xsd_tools() {
  local dir=target/contract/xsd pins=tests/contract/xsd-requirements.txt
  fresh $dir $pins && return 0
  may_install && have python3 || return 1
  note "installing the published schemas of camt.053 (once)"
  rm -rf $dir && mkdir -p target/contract
  python3 -m venv $dir >/dev/null 2>&1 || { rm -rf $dir; return 1; }
  timeout 300 $dir/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps -r $pins </dev/null >/dev/null 2>&1 && cp $pins $dir/pins
}

left=0
for thing in compiler libpq server rust; do
  "$thing" && continue
  may_install && put_in "$thing" || true
  hash -r
  "$thing" || { note "missing: $(say "$thing")" ; left=1; }
done
[ $left -eq 0 ] || exit 1

# --- programs of other people that check ours ------------------------------------------------------------------------
if [ "${1:-}" = "--test" ]; then
  for tool in chromium:chromium:chromium: gomod:golang-golang-x-mod-dev:: hledger:hledger:: pdftotext:poppler-utils:poppler-utils:poppler jq:jq:jq:jq java:default-jre-headless:java-17-openjdk-headless:openjdk node:nodejs:nodejs:node openssl:openssl:openssl:openssl python3:python3:python3:python3; do
    IFS=: read -r name apt dnf brew <<<"$tool"
    present() { if [ "$name" = gomod ]; then gomod; else have "$name"; fi; }
    present && continue
    [ "$name" = gomod ] && apt="golang-go $apt"
    if may_install; then for package in $apt; do install_packages "$package" "$dnf" "$brew" 2>/dev/null || true; done; fi
    hash -r
    present && continue
    case "$name" in
      chromium) what="no browser walks the page /verify (Node runs its WebAssembly)" ;;
      gomod) what="Go's sumdb/tlog and note packages do not check the log (the Rust oracles do)" ;;
      hledger) what="hledger does not check the exported journal (a parser of the tests does)" ;;
      pdftotext) what="the text of tax papers is not read out of their PDF" ;;
      java) what="the Rust client is not generated and its story not told" ;;
      jq) what="docs/verify-without-us.md is not walked" ;;
      node) what="Node's own Ed25519 does not check the signed statements" ;;
      openssl) what="openssl does not check the checkpoint's signature" ;;
      python3) what="the figures of the oracle scripts are used as they are committed" ;;
    esac
    note "optional, not here: $what. Type: $(type_install "$apt" "$dnf" "$brew")"
  done
  # Linters, generators of clients and the standard's own libraries live in target/ and touch nothing else.
  for tool in node_tools python_tools xsd_tools; do
    "$tool" || note "optional, not here: $tool; what they would test is skipped, said aloud and counted. $(say $tool)"
  done
fi
