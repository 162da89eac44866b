#!/usr/bin/env bash
# OpenCode 2.0.15: a plugin that belongs to one project is handed the events of
# every project of the server, and not the first event of its own.
#
# The plugin lies in one project's `.opencode/plugins`, is set up for that
# directory only and is told it as `ctx.location.directory`. Its event stream is
# the whole server's all the same. `event.location` cannot be the filter:
# `session.execution.started`, `session.usage.updated` and others have none. And a
# project's plugins start with its first prompt, after the session was created, so
# the plugin hears the `session.created` of the other project's session and never
# that of its own. A recorder has to look up sessions, not only listen.
#
# Seen, with the plugin in the first of two projects and one turn in each:
#   sessions it was set up for   the first
#   session.created              of the second
#   session.text.ended           of the first and the second
#   session.execution.started    of the first and the second, both without location
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15

mkdir -p "$home/first/.opencode/plugins" "$home/second"
cat >"$home/first/.opencode/plugins/listener.js" <<'JS'
import { appendFileSync } from "node:fs";

const file = new URL("../events", import.meta.url);
const write = (line) => appendFileSync(file, `${JSON.stringify(line)}\n`);
const listen = async (stream) => {
  for await (const event of stream) write(event);
};

export default {
  id: "listener",
  async setup(ctx) {
    write({ type: "setup", location: ctx.location });
    listen(ctx.event.subscribe());
  },
};
JS
events="$home/first/.opencode/events"

# turn PROJECT: one turn in a new session there; sets $session.
turn() {
  session="$(ask POST /api/session "{ \"location\": { \"directory\": \"$home/$1\" } }" | pick it.data.id)"
  ask POST "/api/session/$session/prompt" '{ "text": "Hello." }' >"$root/prompted"
  ask POST "/api/experimental/session/$session/wait" '{}'
}
turn first
first="$session"
turn second
second="$session"
# The last event of the last turn.
wait_for "$events" "session.execution.succeeded.*$second" >"$root/last"

# of EXPRESSION TYPE: what the events of a type say, as first and second.
of() {
  pick "it.filter((event) => event.type === '$2').map((event) => $1)" <<<"[$(paste -sd, "$events")]" |
    sed "s|$home/||g; s|$first|first|g; s|$second|second|g"
}
expect "set up for" "$(of event.location.directory setup)" '["first"]'
for type in session.text.ended session.execution.started; do
  expect "$type heard of" "$(of event.data.sessionID "$type")" '["first","second"]'
done
expect "session.created heard of" "$(of event.data.sessionID session.created)" '["second"]'
expect "location of session.execution.started" "$(of 'event.location ?? "none"' session.execution.started)" \
  '["none","none"]'
exit "$changed"
