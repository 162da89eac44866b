#!/usr/bin/env bash
# OpenCode 1.18.34: a forked session repeats the cost of what it copies, and
# OpenCode's own statistics count that money twice.
#
# `POST /session/:id/fork` copies the messages under new ids, with the cost,
# tokens and `time.created` of the originals, and nothing in a copy says that it
# is one. The fork's own totals repeat them, too. So a sum over sessions, or over
# messages by their ids, is more than the provider's bill, and `opencode stats`
# makes that sum. (It rounds dollars to cents: the tokens show it.)
#
# Seen: one answer of 100 input tokens for $0.00105; after the fork two sessions
# and two answers of $0.00105 each; `opencode stats` says input 200.
source "$(dirname "$0")/lib.sh"
begin opencode-linux-x64 1.18.34

session="$(new_session)"
prompt "$session" >"$root/answer"
settle "$session"
answers='it.map(({ info }) => info).filter((info) => info.role === "assistant")'
original="$(ask GET "/session/$session/message" | pick "($answers)[0]")"
input_tokens() { (opencode stats) | grep -oP '│Input +\K\d+'; }
expect "cost of the answer" "$(pick it.cost <<<"$original")" 0.00105
expect "input tokens in opencode stats" "$(input_tokens)" 100

fork="$(ask POST "/session/$session/fork" '{}' | pick it.id)"
copy="$(ask GET "/session/$fork/message" | pick "($answers)[0]")"
for field in cost tokens time; do
  expect "the copy's $field" "$(pick "it.$field" <<<"$copy")" "$(pick "it.$field" <<<"$original")"
done
[[ "$(pick it.id <<<"$copy")" != "$(pick it.id <<<"$original")" ]] && other=1 || other=0
expect "whether the copy has another id" "$other" 1
expect "the sessions' costs" "$(ask GET /session | pick 'it.map((session) => session.cost)')" '[0.00105,0.00105]'
expect "input tokens in opencode stats after the fork" "$(input_tokens)" 200
exit "$changed"
