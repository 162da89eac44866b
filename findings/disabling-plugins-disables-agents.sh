#!/usr/bin/env bash
# OpenCode 2.0.15: `"plugins": ["-*"]` disables not only the plugins that somebody
# added, but OpenCode's own agents, commands and providers, too: no prompt runs then.
#
# An entry of that list that begins with `-` disables the plugins that match it,
# so `-*` looks like the way to run OpenCode by itself once, to see whether a
# plugin is at fault. But OpenCode's own parts are plugins as well, and only two
# of them cannot be disabled. The configuration is accepted, and what fails is the
# prompt, which names an agent and no plugin: it looks like a broken installation.
# `["-*", "opencode.*"]` is what leaves OpenCode's own ones.
#
# Seen, for one prompt with each list of plugins:
#   []                      the model's answer
#   ["-*"]                  Agent not found: "build"
#   ["-*", "opencode.*"]    the model's answer
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15

# said PLUGINS: what a prompt prints with this list, without colours.
said() {
  sed -i "s/^  \"plugins\?\": .*/  \"plugins\": $1,/" "$home/config/opencode/opencode.json"
  grep -qF "\"plugins\": $1," "$home/config/opencode/opencode.json"
  (opencode run --standalone "Hello.") >"$root/said" 2>&1 || true
  grep -oE 'Understood\.|Agent not found: "build"' "$root/said" || cat "$root/said"
}
expect 'a prompt with []' "$(said '[]')" Understood.
expect 'a prompt with ["-*"]' "$(said '["-*"]')" 'Agent not found: "build"'
expect 'a prompt with ["-*", "opencode.*"]' "$(said '["-*", "opencode.*"]')" Understood.
exit "$changed"
