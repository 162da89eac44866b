#!/usr/bin/env bash
# Prepares .clankers-dev/: a database, and an OpenCode configuration that loads
# the plugin of this checkout, in OpenCode 1.x and 2.x. `source .clankers-dev/env` turns a shell to it.
# With --daemon it also starts this checkout's daemon, and the plugin records
# through that. CLANKERS_DEV_HOME names another folder.
source "$(dirname "$0")/env.sh"
home="${CLANKERS_DEV_HOME:-$ROOT/.clankers-dev}"
plugin="$ROOT/plugin-shim/dist"
program="$ROOT/target/debug/clankers"

[[ -s "$plugin/server.js" && -s "$ROOT/pkg/clankers_bg.wasm" ]] || "$ROOT/scripts/build.sh"
"$ROOT/scripts/setup-tools.sh"
if [[ "${1:-}" == --daemon ]]; then "$ROOT/scripts/build-cli.sh"; fi

say "Preparing $home"
mkdir -p "$home"
chmod 700 "$home"
cat >"$home/opencode.json" <<JSON
{
  "\$schema": "https://opencode.ai/config.json",
  "plugin": ["$plugin"]
}
JSON
cat >"$home/env" <<SH
export PATH="$(dirname "$program"):\$PATH"
export CLANKERS_DATA_PATH="$home"
export OPENCODE_CONFIG="$home/opencode.json"
SH

if [[ "${1:-}" == --daemon ]]; then
  # Where this is set, the plugin hands its rows to the daemon.
  echo "export CLANKERS_SOCKET_PATH=\"$home/dxta-clankers.sock\"" >>"$home/env"
  # shellcheck source=/dev/null
  source "$home/env"
  "$program" daemon
else
  bun "$ROOT/scripts/dev-database.ts" "$home/clankers.db"
fi
note "database       $home/clankers.db"
note "configuration  $home/opencode.json"
note "to use both    source $home/env && opencode"
note "OpenCode 2.x     opencode service restart, where its service is running"
