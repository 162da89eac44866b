#!/usr/bin/env bash
# OpenCode 2.0.15: one plugin file for all projects is evaluated anew for each
# directory of a server, so that nothing in its module is the process's.
#
# An ES module that is imported twice is evaluated once, and its top-level variables
# are one for the process: caches, counters, a compiled WebAssembly module, an open
# connection. Here the plugin lies in the person's own configuration, and two
# directories of one server each have a module of their own, with variables that the
# other never sees; what they share is `globalThis`. What the first evaluation sets up
# the second lacks, and an open file or a lock is there twice in one process.
#
# Seen, with one turn in each of two projects:
#   processes                         1
#   modules                           2, one for each directory
#   count in the module               1 and 1
#   count in globalThis               1 and 2
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15

mkdir -p "$home/first" "$home/second" "$home/config/opencode/plugins"
cat >"$home/config/opencode/plugins/counter.js" <<'JS'
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

const file = new URL("../counted", import.meta.url);
const module = randomUUID();
let count = 0;

export default {
  id: "counter",
  async setup(ctx) {
    count += 1;
    globalThis.counted = (globalThis.counted ?? 0) + 1;
    const shared = globalThis.counted;
    const line = { directory: ctx.location.directory, module, count, shared, pid: process.pid };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  },
};
JS
counted="$home/config/opencode/counted"

# turn PROJECT: one turn in a new session there.
turn() {
  local session
  session="$(ask POST /api/session "{ \"location\": { \"directory\": \"$home/$1\" } }" | pick it.data.id)"
  ask POST "/api/session/$session/prompt" '{ "text": "Hello." }' >"$root/prompted"
  ask POST "/api/experimental/session/$session/wait" '{}'
}
turn first
turn second
wait_for "$counted" "$home/second" >"$root/last"

# of EXPRESSION: what is said of the two directories, in their order.
of() { pick "$1" <<<"[$(grep -E "$home/(first|second)" "$counted" | paste -sd,)]"; }
expect "directories" "$(of 'it.length')" 2
expect "processes" "$(of 'new Set(it.map(({ pid }) => pid)).size')" 1
expect "modules" "$(of 'new Set(it.map(({ module }) => module)).size')" 2
expect "count in the module" "$(of 'it.map(({ count }) => count)')" '[1,1]'
expect "count in globalThis" "$(of 'it[1].shared - it[0].shared')" 1
exit "$changed"
