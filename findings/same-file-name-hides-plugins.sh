#!/usr/bin/env bash
# OpenCode 1.3.2: of several plugins in a configuration whose files have the same
# name, only the last one is loaded, whatever folders they are in.
#
# The list `plugin` is freed of repetitions by the name of the plugin, which for a
# file is its name without the folder and the ending. `index.js` is the name that
# most plugins' files have, so the second plugin that somebody adds by its path
# replaces the first. Nothing that is printed says so.
#
# Seen, with three plugins, each in a file of its own:
#   configured  first/index.js, second/index.js, third/other.js
#   loaded      second/index.js, third/other.js
#   printed     nothing about plugins
source "$(dirname "$0")/lib.sh"

plugins=(first/index.js second/index.js third/other.js)
for plugin in "${plugins[@]}"; do
  mkdir -p "$(dirname "$root/plugins/$plugin")"
  cat >"$root/plugins/$plugin" <<JS
import { appendFileSync } from "node:fs";

export const Plugin = async () => {
  appendFileSync("$root/loaded", "$plugin\n");
  return {};
};
JS
done
touch "$root/loaded"
begin opencode-linux-x64 1.3.2

# loaded CONFIGURED...: the plugins that a turn loads, in the order of their names.
loaded() {
  local list
  list="$(printf '"file://'"$root"'/plugins/%s", ' "$@")"
  echo "{ \"plugin\": [${list%, }] }" >"$home/project/opencode.json"
  : >"$root/loaded"
  (opencode run "Hello.") >"$root/said" 2>&1
  sort -u "$root/loaded" | paste -sd' '
}
expect "loaded of the first alone" "$(loaded first/index.js)" first/index.js
expect "loaded of all three" "$(loaded "${plugins[@]}")" "second/index.js third/other.js"
expect "lines printed about plugins" "$(grep -ciE 'plugin|index\.js' "$root/said" || true)" 0
expect "loaded of all three, the first one last" "$(loaded second/index.js third/other.js first/index.js)" \
  "first/index.js third/other.js"
exit "$changed"
