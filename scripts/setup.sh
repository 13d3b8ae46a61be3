#!/usr/bin/env bash
# Checks what building and testing need, installs what is missing where it can, otherwise says what to type.
# --test also looks for the tools of oracles that are not Rust; those are optional and named when absent.
set -euo pipefail
missing=() ; say=()
PATH="$HOME/.cargo/bin:$PATH"

have() { command -v "$1" >/dev/null 2>&1; }
need() { missing+=("$1") ; say+=("$2") ; }

have cargo || need rust "Rust 1.89 or newer: https://rustup.rs"
have cc || need cc "a C compiler: apt-get install build-essential | dnf install gcc | xcode-select --install"
libpq() { have pg_config && [ -e "$(pg_config --libdir)/libpq.so" -o -e "$(pg_config --libdir)/libpq.dylib" ] && [ -e "$(pg_config --includedir)/libpq-fe.h" ]; }
libpq || need libpq "PostgreSQL's client library: apt-get install libpq-dev | dnf install libpq-devel | brew install libpq"
server() {
  [ -n "${FLIP360_PG_BIN:-}" ] && [ -x "$FLIP360_PG_BIN/postgres" ] && return 0
  ls /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres /opt/homebrew/opt/postgresql*/bin/postgres \
     /usr/local/opt/postgresql*/bin/postgres >/dev/null 2>&1 && return 0
  # One of the globs may match although another does not.
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || compgen -G '/usr/pgsql-*/bin/postgres' >/dev/null \
    || compgen -G '/opt/homebrew/opt/postgresql*/bin/postgres' >/dev/null || have postgres
}
server || need postgres "PostgreSQL's server: apt-get install postgresql | dnf install postgresql-server | brew install postgresql"

if [ "${1:-}" = "--test" ]; then
  have python3 || echo "setup: python3 is not here; the committed figures of the oracle scripts are used as they are" >&2
fi
[ ${#missing[@]} -eq 0 ] && exit 0

root=() ; [ "$(id -u)" = 0 ] || root=(sudo -n)
if have apt-get && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
  packages=()
  for thing in "${missing[@]}"; do
    case "$thing" in
      cc) packages+=(build-essential) ;;
      libpq) packages+=(libpq-dev) ;;
      postgres) packages+=(postgresql) ;;
      *) ;;
    esac
  done
  if [ ${#packages[@]} -gt 0 ]; then
    echo "setup: installing ${packages[*]}" >&2
    # Debian's package would make and start a cluster of its own; ours is private to its data directory.
    "${root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold "${packages[@]}"
  fi
elif have brew; then
  for thing in "${missing[@]}"; do
    case "$thing" in libpq) brew install libpq ;; postgres) brew install postgresql ;; *) ;; esac
  done
fi

left=0
for i in "${!missing[@]}"; do
  case "${missing[$i]}" in
    rust) have cargo && continue ;; cc) have cc && continue ;; libpq) libpq && continue ;; postgres) server && continue ;; *) ;;
  esac
  echo "setup: missing: ${say[$i]}" >&2 ; left=1
done
exit $left
