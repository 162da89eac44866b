#!/usr/bin/env bash
# Prepares .clankers-dev/: a database, and an OpenCode configuration that loads
# the plugin of this checkout. `source .clankers-dev/env` turns a shell to it.
source "$(dirname "$0")/env.sh"
[[ -s "$ROOT/plugin-shim/dist/index.js" && -s "$ROOT/pkg/clankers_bg.wasm" ]] || "$ROOT/scripts/build.sh"
"$ROOT/scripts/setup-tools.sh"

say "Preparing .clankers-dev/"
home="$ROOT/.clankers-dev"
mkdir -p "$home"
bun "$ROOT/scripts/dev-database.ts" "$home/clankers.db"
cat >"$home/opencode.json" <<JSON
{
  "\$schema": "https://opencode.ai/config.json",
  "plugin": ["file://$ROOT/plugin-shim/dist/index.js"]
}
JSON
cat >"$home/env" <<SH
export CLANKERS_DB_PATH="$home/clankers.db"
export OPENCODE_CONFIG="$home/opencode.json"
SH
note "database       .clankers-dev/clankers.db"
note "configuration  .clankers-dev/opencode.json"
note "to use both    source .clankers-dev/env && opencode"
