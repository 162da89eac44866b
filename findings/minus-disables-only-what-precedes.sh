#!/usr/bin/env bash
# OpenCode 2.0.15: an entry `-ID` of the list of plugins disables what stands before
# it in that list, and nothing that stands behind it.
#
# "Load these, and not that one" has no order, so one would write `-ID` anywhere, or
# first, where it is seen. OpenCode goes through the list as through steps: an entry
# behind `-ID` loads the plugin after all, without a word. A plugin that lies in a
# plugin folder counts as standing before the whole list.
#
# Seen, with a plugin of the id `marker`:
#   ["FOLDER", "-marker"]                        not loaded
#   ["-marker", "FOLDER"]                        loaded
#   ["-marker"], the plugin in a plugin folder   not loaded
#   printed                                      nothing about plugins
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15

plugin="$root/marker"
mkdir -p "$plugin"
cat >"$plugin/server.js" <<JS
import { appendFileSync } from "node:fs";

export default {
  id: "marker",
  async setup() {
    appendFileSync("$root/loaded", "x");
  },
};
JS

# loaded LIST: whether a prompt loads the plugin with this list.
loaded() {
  echo "{ \"plugins\": $1 }" >"$home/project/opencode.json"
  rm -f "$root/loaded"
  (opencode run --standalone "Hello.") >"$root/said" 2>&1
  if [[ -e "$root/loaded" ]]; then echo loaded; else echo "not loaded"; fi
}
expect "listed alone" "$(loaded "[\"$plugin\"]")" loaded
expect "its id with a minus behind it" "$(loaded "[\"$plugin\", \"-marker\"]")" "not loaded"
expect "its id with a minus before it" "$(loaded "[\"-marker\", \"$plugin\"]")" loaded
expect "lines printed about it" "$(grep -ci marker "$root/said" || true)" 0
mkdir -p "$home/project/.opencode/plugins"
cp "$plugin/server.js" "$home/project/.opencode/plugins/marker.js"
expect "in a plugin folder" "$(loaded '[]')" loaded
expect "in a plugin folder, with the minus" "$(loaded '["-marker"]')" "not loaded"
exit "$changed"
