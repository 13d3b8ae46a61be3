#!/usr/bin/env bash
# Makes the clients of the API from its document: target/sdks/{typescript,python,rust}.
#
#   scripts/sdks.sh                  all three
#   scripts/sdks.sh typescript …     these
#
# The generators are those of tests/contract, which `scripts/setup.sh --test` installs.
set -euo pipefail
cd "$(dirname "$0")/.."
node=target/contract/node/node_modules/.bin python=target/contract/python/bin out=target/sdks
document="$PWD/openapi/flip360.v1.json"
mkdir -p "$out"

typescript() {
  rm -rf "$out/typescript"
  "$node/openapi-ts" -f openapi/sdks/typescript.mjs >/dev/null
  cat > "$out/typescript/package.json" <<'JSON'
{"name": "@flip360/client", "version": "1.0.0", "type": "module",
  "exports": {".": "./dist/index.js", "./client": "./dist/client/index.js"}}
JSON
  cat > "$out/typescript/tsconfig.json" <<'JSON'
{"compilerOptions": {"strict": true, "declaration": true, "outDir": "dist", "rootDir": "src", "module": "nodenext",
  "target": "es2022", "lib": ["es2022", "dom", "dom.iterable"], "types": []}, "include": ["src"]}
JSON
  "$node/tsc" -p "$out/typescript"
}

python() {
  "$python/openapi-python-client" generate --path "$document" --config openapi/sdks/python.yaml --meta setup \
    --output-path "$out/python" --overwrite > "$out/python.log" 2>&1 || { cat "$out/python.log" >&2; return 1; }
  # An operation that a generator leaves out is a fault of the document.
  if grep -q "will not be generated" "$out/python.log"; then cat "$out/python.log" >&2; return 1; fi
}

rust() {
  command -v java >/dev/null || { echo "sdks: the Rust client's generator needs Java 11 or newer" >&2; return 1; }
  rm -rf "$out/rust.new"
  # What we send is no request of the client; its generator would make requests of it.
  "$python/python3" -c 'import json, sys; d = json.load(open(sys.argv[1])); d.pop("webhooks", None); json.dump(d, sys.stdout)' "$document" > "$out/rust.json"
  "$python/openapi-generator-cli" generate -g rust -i "$out/rust.json" -c openapi/sdks/rust.yaml -o "$out/rust.new" \
    > "$out/rust.log" 2>&1 || { cat "$out/rust.log" >&2; return 1; }
  if grep -q FILEPATH_COLLISION "$out/rust.log"; then cat "$out/rust.log" >&2; return 1; fi
  # `..Default::default()` for what is not said: a new optional parameter breaks nobody.
  sed -i.old 's/^#\[derive(Clone, Debug)\]$/#[derive(Clone, Debug, Default)]/' "$out"/rust.new/src/apis/*_api.rs
  rm -rf "$out/rust" "$out"/rust.new/src/apis/*.old && mv "$out/rust.new" "$out/rust"
}

[ $# -gt 0 ] || set -- typescript python rust
for language in "$@"; do
  "$language"
  echo "sdks: $out/$language"
done
