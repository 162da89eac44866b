#!/usr/bin/env bash
# OpenCode 1.18.34: one message with an output `format` makes the server refuse
# the whole session's messages.
#
# `POST /session/:id/message` takes a `format` for the answer, and its plainest
# value, { "type": "text" }, is accepted: 200, and the new message is returned.
# From then on `GET /session/:id/message` answers 400 as if the request were at
# fault, whatever its `limit`, and so does a request for that message alone. The
# other messages are answered one by one, and the list is, too, once the message
# is deleted. So whoever copies sessions must expect that a list is refused which
# was answered before, and then ask message by message.
#
# Seen: 400 { "name": "BadRequest", "data": { "message":
#   "Expected OutputFormatText, got {\"type\":\"text\"}\n  at [1][\"info\"][\"format\"]", … } }
source "$(dirname "$0")/lib.sh"
begin opencode-linux-x64 1.18.34

session="$(new_session)"
messages="/session/$session/message"
# `noReply`: the message is stored and no model is asked.
plain='"noReply": true, "parts": [{ "type": "text", "text": "Hello." }]'
first="$(ask POST "$messages" "{ $plain }" | pick it.info.id)"
expect "the list before" "$(status GET "$messages")" 200

second="$(ask POST "$messages" "{ $plain, \"format\": { \"type\": \"text\" } }" | pick it.info.id)"
refusal="$(call GET "$messages")"
expect "the list after a message with a format" "${refusal%% *}" 400
expect "its reason" "$(pick it.data.message <<<"${refusal#* }" | tr -s '\n ' ' ')" \
  'Expected OutputFormatText, got {"type":"text"} at [1]["info"]["format"] '
expect "that message alone" "$(status GET "$messages/$second")" 400
expect "the other message alone" "$(status GET "$messages/$first")" 200

ask DELETE "$messages/$second" >"$root/deleted"
expect "the list without that message" "$(status GET "$messages")" 200
exit "$changed"
