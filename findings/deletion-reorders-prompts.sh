#!/usr/bin/env bash
# OpenCode 1.18.34 and 2.0.15 on one database: where 1.18.34 deletes a session that
# 2.0.15 took over, 2.0.15 still has it, and lists its next prompt before older ones.
#
# Each has a session of that id in tables of its own, so that a deletion in one
# leaves the other's alone. The counter of the session's events is one for both,
# though, and goes with the deletion: 2.0.15 counts from 0 again, and orders its
# messages by these numbers. Whoever takes a higher number for the later event, or
# asks for what came after one, misses all that is said from then on.
#
# Seen, with a turn of 1.18.34, two of 2.0.15, the deletion, and one of 2.0.15:
#   prompts that 2.0.15 lists   first, fourth, second, third
source "$(dirname "$0")/lib.sh"
share 1.18.34 2.0.15

say2() { ask POST "/api/session/$session/prompt" "{ \"text\": \"$1\" }" >"$root/prompted"; }
prompts2() {
  ask GET "/api/session/$session/message" |
    pick 'it.data.filter(({ type }) => type === "user").map(({ text }) => text).reverse()'
}

begin opencode-linux-x64 1.18.34
session="$(new_session)"
ask POST "/session/$session/message" '{ "parts": [{ "type": "text", "text": "first" }] }' >"$root/answer"
settle "$session"
begin @opencode/cli-linux-x64-baseline 2.0.15
migrated
listen
for text in second third; do
  say2 "$text"
  ask POST "/api/experimental/session/$session/wait" '{}'
done
begin opencode-linux-x64 1.18.34
expect "the deletion in 1.18.34" "$(ask DELETE "/session/$session")" true
begin @opencode/cli-linux-x64-baseline 2.0.15
expect "prompts in 2.0.15 after it" "$(prompts2)" '["first","second","third"]'
expect "the answer to the next prompt" \
  "$(call POST "/api/session/$session/prompt" '{ "text": "fourth" }' | cut -c1)" 2
ask POST "/api/experimental/session/$session/wait" '{}'
expect "prompts in 2.0.15 at the end" "$(prompts2)" '["first","fourth","second","third"]'
exit "$changed"
