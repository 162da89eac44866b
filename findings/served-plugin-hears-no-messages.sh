#!/usr/bin/env bash
# OpenCode 1.14.48: a plugin of `opencode serve` hears that a turn goes on and
# ends, but no message, part or session event of it.
#
# The same plugin in the same release hears all of them under `opencode run`.
# Under `serve` it is loaded and called, too: it hears `session.status`,
# `session.idle` and even `message.part.delta`, the pieces of a text whose message
# and part it is never told of. The server's stream `GET /event` is silent; only
# `GET /global/event` carries the messages. So a plugin that hears turns end must
# not conclude that it has heard what was said in them.
#
# Seen, as the number of events of each type during one served turn:
#   plugin         session.idle 1   message.part.delta 2   message.updated 0   session.created 0
#   /event         session.idle 0   message.updated 0
#   /global/event  session.idle 1   message.updated 6 or more
source "$(dirname "$0")/lib.sh"

cat >"$root/recorder.mjs" <<'JS'
import { appendFileSync } from "node:fs";

const file = new URL("plugin.events", import.meta.url);

export default async function recorder() {
  const event = ({ event }) => appendFileSync(file, `${JSON.stringify(event)}\n`);
  return { event: async (input) => event(input) };
}
JS
begin opencode-linux-x64 1.14.48 "$root/recorder.mjs"

# listen NAME PATH: writes down what a stream of the server says.
listen() {
  node -e '
    const [login, url] = process.argv.slice(1);
    const headers = { authorization: `Basic ${btoa(login)}` };
    fetch(url, { headers }).then(async ({ body }) => {
      for await (const chunk of body) process.stdout.write(chunk);
    });
  ' "opencode:$password" "$server$2" >"$root/$1.events" &
  processes+=("$!")
  wait_for "$root/$1.events" server.connected >"$root/connected"
}
# heard NAME TYPE: how many events of the type were heard.
heard() { { grep -oF "\"type\":\"$2\"" "$root/$1.events" || true; } | wc -l; }

listen stream /event
listen global /global/event
prompt "$(new_session)" >"$root/answer"
wait_for "$root/plugin.events" session.idle >"$root/idle"
# Time for whatever is late.
sleep 3

expect "plugin, session.idle" "$(heard plugin session.idle)" 1
expect "plugin, message.part.delta" "$(heard plugin message.part.delta)" 2
for type in session.created message.updated message.part.updated; do
  expect "plugin, $type" "$(heard plugin "$type")" 0
  expect "/event, $type" "$(heard stream "$type")" 0
  expect "whether /global/event has $type" "$(($(heard global "$type") > 0))" 1
done

rm "$root/plugin.events"
(opencode run "Hello.") &>"$root/run.log"
expect "whether the plugin hears message.updated under run" "$(($(heard plugin message.updated) > 0))" 1
exit "$changed"
