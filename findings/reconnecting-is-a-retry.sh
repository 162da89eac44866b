#!/usr/bin/env bash
# Kilo 7.7.9: where the network is back, it tells a retry, number 0, whose reason
# is "Reconnected".
#
# A session's status `retry` says elsewhere that an answer failed and is tried
# again: its number counts from 1, and its message is the failure. Kilo has a
# status of its own for a network that is gone, `offline`, in which the session
# waits for a person. When the person has it go on, the next status is no `busy`:
# who notes each retry as a failure notes one that is a success.
#
# Seen, of a turn whose first connection is cut before a word was said:
#   offline  then retry 0 "Reconnected", then busy; the turn is answered
source "$(dirname "$0")/lib.sh"
application=kilo
helper=@kilocode/plugin
begin @kilocode/cli-linux-x64 7.7.9
listen /event

session="$(new_session)"
ask POST "/session/$session/message" '{ "parts": [{ "type": "text", "text": "Lose the network." }] }' >"$root/answer" &
turn="$!"
request="$(wait_for "$root/stream" '"type":"offline","requestID":"\K[^"]+')"
ask POST "/network/$request/reply" '{}' >"$root/replied"
wait "$turn"
expect "statuses of the turn" \
  "$(grep -oP '"status":\{"type":"\K[a-z]+(","attempt":\d+,"message":"[^"]*)?' "$root/stream" | tr -d '"' | uniq | paste -sd ' ')" \
  "busy offline retry,attempt:0,message:Reconnected busy idle"
expect "failure of the answer" "$(pick 'it.info.error ?? "none"' <"$root/answer")" none
exit "$changed"
