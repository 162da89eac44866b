#!/usr/bin/env bash
# OpenCode 1.18.34: in a folder without git a turn moves a session's `time.updated`,
# and no event tells to when.
#
# Each step of an answer that costs something moves that time in the database. In a
# git repository the session is told once more after the turn, with its summary of
# changed lines, and with the time. Without one that event does not come: what was
# told last is the time of the prompt or of the title. Whoever keeps a copy in step
# by events, and compares it with `GET /session` later, takes each such session for
# one that was changed since, though nothing of it is missing.
#
# Seen: `time.updated` of the answered session is later than that of every event.
source "$(dirname "$0")/lib.sh"
begin opencode-linux-x64 1.18.34
listen /event

session="$(new_session)"
prompt "$session" >"$root/answer"
settle "$session"
# Every time of change that events have told of the session.
told="$(grep -oP '^data: ?\K\{.*' "$root/stream" | paste -sd, | sed 's/.*/[&]/' |
  pick "it.map(({ properties }) => properties.info).filter((info) => info?.id === '$session').map(({ time }) => time.updated)")"
expect "whether events told of the session" "$(pick 'it.length > 0' <<<"$told")" true
answered="$(ask GET "/session/$session" | pick it.time.updated)"
expect "whether its time is later than all of them" "$(pick "it.every((time) => time < $answered)" <<<"$told")" true
expect "whether its cost is told by then" "$(ask GET "/session/$session" | pick 'it.cost > 0')" true
exit "$changed"
