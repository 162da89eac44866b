#!/usr/bin/env bash
# OpenCode 2.0.15: the events of a fork are numbered 0 and then on from its
# parent's, though the fork was never told the numbers between.
#
# Durable events carry `durable.seq`, a number that rises by one within a session,
# so a jump looks like events that were missed. A fork's first event,
# `session.forked`, has the number 0. Its next one has the number behind the last
# of the events that it copied, which its parent told under the parent's id. No
# event tells the copied messages as the fork's. A follower that waits for the
# numbers between waits forever, and one that takes the jump for a loss is right
# only because the copies have to be asked for.
#
# Seen, with one turn in a session, a fork of it and one turn in the fork:
#   the session's turn  0 to 12, without a gap
#   the fork's events   0, then 13 to 24
source "$(dirname "$0")/lib.sh"
begin @opencode/cli-linux-x64-baseline 2.0.15
listen

# turn SESSION: one turn, until its last event was heard.
turn() {
  ask POST "/api/session/$1/prompt" '{ "text": "Hello." }' >"$root/prompted"
  ask POST "/api/experimental/session/$1/wait" '{}'
  wait_for "$root/stream" "session.execution.succeeded.*$1" >"$root/last"
}
session="$(ask POST /api/session "{ \"location\": { \"directory\": \"$home/project\" } }" | pick it.data.id)"
turn "$session"
# The new title comes when it comes, and is no event of the turn.
wait_for "$root/stream" "session.renamed.*$session" >"$root/renamed"
fork="$(ask POST "/api/session/$session/fork" '{}' | pick it.data.id)"
turn "$fork"

# numbers SESSION: those of its durable events but the title's, as they came.
numbers() {
  grep -oP '^data: ?\K\{.*' "$root/stream" | paste -sd, | sed 's/.*/[&]/' |
    pick "it.filter((event) => event.durable && event.data.sessionID === '$1' && event.type !== 'session.renamed').map((event) => event.durable.seq)"
}
expect "the session's numbers" "$(numbers "$session")" '[0,1,2,3,4,5,6,7,8,9,10,11,12]'
expect "the fork's numbers" "$(numbers "$fork")" '[0,13,14,15,16,17,18,19,20,21,22,23,24]'
expect "the fork's first event" "$(
  grep -oP '^data: ?\K\{.*' "$root/stream" | grep -m1 "\"sessionID\":\"$fork\"" | pick it.type
)" session.forked
exit "$changed"
