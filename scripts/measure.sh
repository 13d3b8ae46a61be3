#!/usr/bin/env bash
# Prints how long `flip360 serve` takes to be ready and how much memory it holds idle. Numbers, never a verdict:
# they depend on the machine and on what else runs on it.
#
#   scripts/measure.sh [RUNS]     PROFILE=release measures that build (default: debug, which `make demo` builds)
set -euo pipefail
cd "$(dirname "$0")/.."
runs="${1:-5}"
profile="${PROFILE:-debug}"
binary="${CARGO_TARGET_DIR:-target}/$profile/flip360"
if [ "$profile" = release ]; then cargo build -q --workspace --bin flip360 --locked --release
else cargo build -q --workspace --bin flip360 --locked; fi
place="$(mktemp -d)"
service=
cleanup() { [ -z "$service" ] || kill "$service" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$place"; }
trap cleanup EXIT
now_ms() { date +%s%3N; }
start() { # start NAME: starts it, waits for the first answer, leaves it running
  local before ; before="$(now_ms)"
  : >"$place/out"
  env -u DATABASE_URL "$binary" serve --data-dir "$place/data" --listen 127.0.0.1:0 >"$place/out" 2>&1 </dev/null &
  service=$!
  local url=
  until url="$(sed -n 's/.*ready at \(http[^ ]*\).*/\1/p' "$place/out")" && [ -n "$url" ]; do
    kill -0 "$service" 2>/dev/null || { cat "$place/out" >&2; exit 1; }
    sleep 0.005
  done
  curl -sSf -o /dev/null "$url/health/ready"
  echo "$1: $(( $(now_ms) - before )) ms to the first answer of /health/ready"
}
stop() { local before ; before="$(now_ms)"; kill -TERM "$service"; wait "$service"; service=; echo "  stopped in $(( $(now_ms) - before )) ms"; }

echo "binary: $binary, $(( $(stat -c %s "$binary" 2>/dev/null || stat -f %z "$binary") / 1024 / 1024 )) MiB; $(getconf _NPROCESSORS_ONLN) processors, load $(uptime | sed 's/.*average[s]*: //')"
start "cold start (no data)"
stop
for n in $(seq "$runs"); do
  start "warm start $n"
  if [ "$n" = "$runs" ]; then
    sleep 3
    ps -o rss= -p "$service" | awk '{printf "idle: %.1f MiB resident in the service\n", $1 / 1024}'
    server="$(head -n 1 "$place/data/cluster/data/postmaster.pid" 2>/dev/null || true)"
    [ -z "$server" ] || ps -o pss=,args= --pid "$server" --ppid "$server" 2>/dev/null \
      | awk '{s += $1} END {if (s) printf "idle: %.1f MiB proportional in its PostgreSQL\n", s / 1024}' || true
  fi
  stop
done
