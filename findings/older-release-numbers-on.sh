#!/usr/bin/env bash
# OpenCode 1.18.34 and 2.0.15 on one database: after a turn of 1.18.34 in a session
# that 2.0.15 took over, 2.0.15 has nothing of that turn, but counts its events.
#
# 2.0.15 copies the sessions of 1.x once, into tables of its own, and leaves 1.x's
# tables as they were, so 1.18.34 still starts and goes on with them. From there on
# each of them has a session of the same id without the other one's messages. Only
# the counter of a session's events is one and the same for both. So 2.0.15's
# next number jumps, which looks like events that were missed, and there is nothing
# that could be asked for: its own API does not know that turn.
#
# Seen, with a turn of 1.18.34, one of 2.0.15, one of 1.18.34 and one of 2.0.15:
#   prompts that 2.0.15 lists before its second turn   the first two
#   prompts that 1.18.34 lists after its second turn   the first and the third
#   2.0.15's numbers in its first turn                 2 to 13
#   2.0.15's first number in its second turn           30
source "$(dirname "$0")/lib.sh"
share 1.18.34 2.0.15
newer() { begin @opencode/cli-linux-x64-baseline 2.0.15; }
older() { begin opencode-linux-x64 1.18.34; }

# say TEXT: a turn of the older release. prompts: the texts of those it lists.
say() { ask POST "/session/$session/message" "{ \"parts\": [{ \"type\": \"text\", \"text\": \"$1\" }] }" >"$root/answer"; }
prompts() {
  ask GET "/session/$session/message" |
    pick 'it.filter(({ info }) => info.role === "user").map(({ parts }) => parts[0].text)'
}

# The same for the newer one, which lists the latest message first.
say2() {
  ask POST "/api/session/$session/prompt" "{ \"text\": \"$1\" }" >"$root/prompted"
  ask POST "/api/experimental/session/$session/wait" '{}'
  wait_for "$root/stream" "session.execution.succeeded.*$session" >"$root/last"
}
prompts2() {
  ask GET "/api/session/$session/message" |
    pick 'it.data.filter(({ type }) => type === "user").map(({ text }) => text).reverse()'
}
# numbers: those of the session's events that were heard, as they came.
numbers() {
  grep -oP '^data: ?\K\{.*' "$root/stream" | paste -sd, | sed 's/.*/[&]/' |
    pick "it.filter(({ durable }) => durable?.aggregateID === '$session').map(({ durable }) => durable.seq)"
}

older
session="$(new_session)"
say first
settle "$session"
newer
migrated
listen
say2 second
expect "numbers of 2.0.15's first turn" "$(numbers)" '[2,3,4,5,6,7,8,9,10,11,12,13]'
older
say third
settle "$session"
expect "prompts in 1.18.34" "$(prompts)" '["first","third"]'
newer
listen
expect "prompts in 2.0.15" "$(prompts2)" '["first","second"]'
say2 fourth
expect "the first number of its second turn" "$(numbers | pick 'it[0]')" 30
expect "prompts in 2.0.15 at the end" "$(prompts2)" '["first","second","fourth"]'
exit "$changed"
