#!/usr/bin/env bash
# OpenCode 1.18.34: `time.updated` of a session does not move when the session is
# renamed or archived, nor when its messages are edited or deleted.
#
# `GET /session` is ordered by `time.updated`, and `?start=` asks for the sessions
# updated since a time. A turn moves that time, and these changes do not. Whoever
# keeps a copy in step by it does not learn of a new title or an archived session,
# and keeps texts that were changed or deleted, until the session's next turn.
#
# Seen: 0 ms between `time.updated` before and after all five changes, no session
# since one millisecond after it; a turn then moves it.
source "$(dirname "$0")/lib.sh"
begin opencode-linux-x64 1.18.34

session="$(new_session)"
updated() { ask GET "/session/$session" | pick it.time.updated; }
prompt "$session" >"$root/first"
prompt "$session" >"$root/second"
settle "$session"
before="$(updated)"

# The parts of an answer: step-start, reasoning, text, step-finish.
first="/session/$session/message/$(pick it.info.id <"$root/first")"
second="/session/$session/message/$(pick it.info.id <"$root/second")"
text="$(pick '{ ...it.parts[2], text: "Edited." }' <"$root/second")"
reasoning="$(pick 'it.parts[1].id' <"$root/second")"
{
  ask PATCH "/session/$session" '{ "title": "Renamed" }'
  ask PATCH "/session/$session" '{ "time": { "archived": '"$before"' } }'
  ask PATCH "$second/part/$(pick it.id <<<"$text")" "$text"
  ask DELETE "$second/part/$reasoning"
  ask DELETE "$first"
} >"$root/changes"

expect "the title now" "$(ask GET "/session/$session" | pick it.title)" Renamed
expect "the archiving now" "$(ask GET "/session/$session" | pick it.time.archived)" "$before"
expect "the messages now" "$(ask GET "/session/$session/message" | pick 'it.map((message) => message.info.role)')" \
  '["user","user","assistant"]'
expect "the second answer now" "$(ask GET "$second" | pick 'it.parts.map((part) => part.text ?? part.type)')" \
  '["step-start","Edited.","step-finish"]'
expect "milliseconds that time.updated moved" "$(($(updated) - before))" 0
expect "sessions updated at that time" "$(ask GET "/session?start=$before" | pick it.length)" 1
expect "sessions updated since" "$(ask GET "/session?start=$((before + 1))" | pick it.length)" 0

prompt "$session" >"$root/third"
expect "whether a turn moves it" "$(($(updated) > before))" 1
exit "$changed"
