#!/usr/bin/env bash
# Builds the installable plugin: the core as WebAssembly, then the npm package
# around it. Leaves plugin-shim/dist/.
source "$(dirname "$0")/env.sh"
"$ROOT/scripts/build-wasm.sh"

say "Building the plugin"
npm_ci "$ROOT/plugin-shim"
cd "$ROOT/plugin-shim"
npm run --silent build
for file in dist/{index,server,tui,clankers,clankers/server,clankers/tui}.js; do
  [[ -s "$file" ]] || die "the build left no plugin-shim/$file"
  note "plugin-shim/$file: $(wc -c <"$file") bytes"
done
