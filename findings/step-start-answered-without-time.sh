#!/usr/bin/env bash
# Kilo 7.7.9: over HTTP, in its stream of events as in its answers, a step's start
# has no time; to its plugins and in its database it has one.
#
# A part is elsewhere the same wherever it is told, and a step's end has its `time`
# in all four places. A plugin that takes events, and asks as well, has two versions
# of one part, and the answer, which is the later one, takes the time away.
#
# Seen, of a turn with one step:
#   plugin, database  step-start with a time, step-finish with one
#   stream, answer    step-start without,     step-finish with one
source "$(dirname "$0")/lib.sh"
application=kilo
helper=@kilocode/plugin
cat >"$root/plugin.js" <<JS
import { appendFileSync } from "node:fs";
export const Listener = async () => ({
  event: async ({ event }) => {
    const part = event.type === "message.part.updated" ? event.properties.part : undefined;
    if (part) appendFileSync("$root/heard", JSON.stringify(part) + "\\n");
  },
});
JS
begin @kilocode/cli-linux-x64 7.7.9 "$root/plugin.js"
listen /event

session="$(new_session)"
prompt "$session" >"$root/answer"
settle "$session"

# timed: of the parts on stdin, a list, which of a step's have a time.
timed() {
  pick '[...new Set(it.filter(({ type }) => type.startsWith("step-")).map(
    ({ type, time }) => `${type} ${time === undefined ? "without" : "with"}`))].join(", ")'
}

expect "plugin" "$(timed <<<"[$(paste -sd ',' "$root/heard")]")" "step-start with, step-finish with"
told="$(grep -oP '^data: \K.*"type":"message.part.updated".*' "$root/stream" | paste -sd ',')"
expect "stream" "$(pick 'it.map(({ properties }) => properties.part)' <<<"[$told]" | timed)" \
  "step-start without, step-finish with"
database="$(find "$home/data" -name kilo.db)"
kept="$(node -e '
  const { DatabaseSync } = require("node:sqlite");
  const db = new DatabaseSync(process.argv[1], { readOnly: true });
  const rows = db.prepare("SELECT data FROM part ORDER BY time_created, id").all();
  console.log(`[${rows.map(({ data }) => data)}]`);
' "$database" 2>/dev/null)"
expect "database" "$(timed <<<"$kept")" "step-start with, step-finish with"
answered="$(ask GET "/session/$session/message")"
expect "answer" "$(pick 'it.flatMap(({ parts }) => parts)' <<<"$answered" | timed)" \
  "step-start without, step-finish with"
exit "$changed"
