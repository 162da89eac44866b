#!/usr/bin/env bash
# OpenCode 2.0.15: of what a session of 1.18.34 has cost, its compactions vanish
# from `opencode stats`, while the session's own total still holds them.
#
# A compaction is a call of the model like any other. 1.18.34 keeps it as a message
# with cost and tokens, and its `opencode stats` counts it. At its first start on
# such a database, 2.0.15 makes the request and the summary one message of type
# `compaction`, and leaves out the cost and the tokens that its own compactions
# have. The same statistics of the same history become lower by the update, and a
# session's messages no longer come to its total.
#
# Seen, for one answer and one compaction of 100 input tokens and $0.00105 each:
#                        1.18.34    2.0.15
#   the session's total  0.0021     0.0021
#   sum of its messages  0.0021     0.00105
#   its statistics       input 200  input 100, cost 0.00105
source "$(dirname "$0")/lib.sh"
share 1.18.34 2.0.15
begin opencode-linux-x64 1.18.34

session="$(new_session)"
prompt "$session" >"$root/answer"
ask POST "/session/$session/summarize" '{ "providerID": "scripted", "modelID": "large" }' >"$root/compacted"
settle "$session"
sum='.reduce((sum, message) => sum + (message.cost ?? 0), 0)'
expect "the session's total in 1.18.34" "$(ask GET "/session/$session" | pick it.cost)" 0.0021
expect "the sum of its messages in 1.18.34" \
  "$(ask GET "/session/$session/message" | pick "it.map(({ info }) => info)$sum")" 0.0021
expect "input tokens in the statistics of 1.18.34" "$( (opencode stats) | grep -oP '│Input +\K\d+')" 200

begin @opencode/cli-linux-x64-baseline 2.0.15
migrated
messages="$(ask GET "/api/session/$session/message")"
expect "the messages in 2.0.15" "$(pick 'it.data.map(({ type, cost }) => [type, cost ?? "none"])' <<<"$messages")" \
  '[["compaction","none"],["assistant",0.00105],["user","none"]]'
expect "the session's total in 2.0.15" "$(ask GET "/api/session/$session" | pick it.data.cost)" 0.0021
expect "the sum of its messages in 2.0.15" "$(pick "it.data$sum" <<<"$messages")" 0.00105
# `opencode stats` prints tokens of all kinds as one number, and no cost: these are
# the figures that it is made from.
statistics="$(ask GET /api/experimental/session/stats)"
expect "input tokens in the statistics of 2.0.15" "$(pick it.data.tokens.input <<<"$statistics")" 100
expect "cost in the statistics of 2.0.15" "$(pick it.data.cost <<<"$statistics")" 0.00105
exit "$changed"
