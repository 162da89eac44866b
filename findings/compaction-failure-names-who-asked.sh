#!/usr/bin/env bash
# OpenCode 2.0.15: what the failure of an interrupted compaction is called says who
# had asked for the compaction, and not what ended it.
#
# A person interrupts, over the API, a compaction that a person asked for: it fails
# as "aborted". A person interrupts, in the same way, one that OpenCode began itself
# because the context was full: it fails as "compaction.interrupted". Where the
# server is told to end (SIGTERM), the first kind is "aborted", too, with the message
# "Compaction cancelled", though nobody cancelled it. And where the server is killed,
# the first kind has the second name. So neither name tells a person's wish from a
# server that has gone.
#
# A killed server's compaction fails only with the session's next prompt. Until then
# a server that is started again answers that it is `running`, but that no session is
# active, and that there is nothing to interrupt.
#
# Seen, with a model that never ends its summary:
#   asked for by   ended by            failed as
#   a person       a person            aborted, "Compaction cancelled"
#   OpenCode       a person            compaction.interrupted, "Compaction was interrupted"
#   a person       SIGTERM             aborted, "Compaction cancelled"
#   a person       SIGKILL             compaction.interrupted, "Compaction was interrupted"
source "$(dirname "$0")/lib.sh"

serve() {
  begin @opencode/cli-linux-x64-baseline 2.0.15
  listen
}
# say PROMPT
say() { ask POST "/api/session/$session/prompt" "{ \"text\": \"$1\" }" >"$root/prompted"; }
# until_idle: waits for the end of what the session does.
until_idle() { ask POST "/api/experimental/session/$session/wait" '{}'; }
# asked_by WHO: a new session, in the middle of its compaction.
asked_by() {
  session="$(ask POST /api/session "{ \"location\": { \"directory\": \"$home/project\" } }" | pick it.data.id)"
  say "Fill the context."
  until_idle
  case "$1" in
    person) ask POST "/api/session/$session/compact" '{}' >"$root/asked" ;;
    opencode) say "Is there room?" ;;
  esac
  wait_for "$root/stream" "session\.compaction\.delta.*$session" >"$root/delta"
}
# end_server SIGNAL
end_server() {
  kill -s "$1" "${processes[1]}"
  wait "${processes[1]}" 2>/dev/null || true
}
# interrupt: prints whether there was anything to interrupt.
interrupt() { ask POST "/api/session/$session/interrupt" '{}' | pick it.interrupted; }
# compaction: prints what became of the session's first one.
compaction() {
  ask GET "/api/session/$session/message" | pick '
    (({ reason, status, error }) => [reason, status, ...(error ? [error.type, error.message] : [])])(
      it.data.findLast(({ type }) => type === "compaction"))'
}

serve
asked_by person
expect "there is something to interrupt" "$(interrupt)" true
until_idle
expect "asked for and interrupted by a person" "$(compaction)" \
  '["manual","failed","aborted","Compaction cancelled"]'

asked_by opencode
expect "there is something to interrupt" "$(interrupt)" true
until_idle
expect "begun by OpenCode, interrupted by a person" "$(compaction)" \
  '["auto","failed","compaction.interrupted","Compaction was interrupted"]'

asked_by person
end_server TERM
serve
expect "asked for by a person, the server told to end" "$(compaction)" \
  '["manual","failed","aborted","Compaction cancelled"]'

asked_by person
end_server KILL
serve
expect "asked for by a person, the server killed and started again" "$(compaction)" '["manual","running"]'
expect "active sessions after the next start" "$(ask GET /api/session/active | pick it.data)" '{}'
expect "after the next start there is something to interrupt" "$(interrupt)" false
say "Hello."
wait_for "$root/stream" "session\.compaction\.failed.*$session" >"$root/failed"
expect "the same after the next prompt" "$(compaction)" \
  '["manual","failed","compaction.interrupted","Compaction was interrupted"]'
exit "$changed"
