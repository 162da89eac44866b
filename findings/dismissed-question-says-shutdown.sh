#!/usr/bin/env bash
# OpenCode 2.0.15: a person who dismisses a question ends the turn with the reason
# "shutdown", though nothing shuts down, and the session never becomes idle.
#
# A turn that is interrupted over the API ends with the reason "user". It gives the
# session an outcome, a time of idleness and a message `idle`. "shutdown" stands for
# a server that stops in the middle of a turn, and gives none of the three. The
# question's dismissal takes that second way: who reads the reason believes that
# the server is gone, and who waits for an outcome waits until the next turn.
#
# Seen, while the model's question is open:
#   dismissed    interrupted "shutdown", outcome none, the last message an answer;
#                the same server then runs the next turn
#   interrupted  interrupted "user", outcome interrupted, the last message `idle`
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15
listen

# question: a new session, in which the model asks a question; sets $form.
question() {
  session="$(ask POST /api/session "{ \"location\": { \"directory\": \"$home/project\" } }" | pick it.data.id)"
  ask POST "/api/session/$session/prompt" '{ "text": "Ask me." }' >"$root/prompted"
  form="$(wait_for "$root/stream" "form\.created.*\"form\":\{\"id\":\"\K[^\"]+(?=\",\"sessionID\":\"$session)")"
}
# ended WHAT REASON OUTCOME LAST: what the session's turn left.
ended() {
  ask POST "/api/experimental/session/$session/wait" '{}'
  expect "reason of the $1 turn" \
    "$(wait_for "$root/stream" "session\.execution\.interrupted.*$session.*\"reason\":\"\K[^\"]+")" "$2"
  expect "outcome of the $1 session" "$(outcome)" "$3"
  expect "last message of the $1 session" "$(ask GET "/api/session/$session/message" | pick 'it.data[0].type')" "$4"
}
outcome() { ask GET "/api/session/$session" | pick 'it.data.outcome ?? "none"'; }

question
ask DELETE "/api/session/$session/form/$form"
ended dismissed shutdown none assistant
ask POST "/api/session/$session/prompt" '{ "text": "Hello." }' >"$root/prompted"
wait_for "$root/stream" "session\.execution\.succeeded.*$session" >"$root/last"
expect "outcome after the same server's next turn" "$(outcome)" succeeded

question
ask POST "/api/session/$session/interrupt" '{}' >"$root/interrupted"
ended interrupted user interrupted idle
exit "$changed"
