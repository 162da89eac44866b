#!/usr/bin/env bash
# OpenCode 1.3.2 against 1.18.34: for one and the same answer of the model,
# `tokens.output` has two meanings, and the older release bills reasoning twice.
#
# An OpenAI-compatible provider reports 50 completion tokens, 20 of them for
# reasoning. 1.3.2 stores output 50 and reasoning 20, although the 20 are among
# the 50, and its cost is the price of 70. 1.18.34 stores output 30 and reasoning
# 20, and its cost is the price of 50. Both say total 150. So in a home that has
# seen both, neither the sum of output and reasoning nor the cost means one thing.
#
# Seen, at $3 and $15 for a million tokens of input and output; the provider's own
# bill is 100 × $3 + 50 × $15 for a million = $0.00105:
#   1.3.2    input 100  output 50  reasoning 20  total 150  cost 0.00135
#   1.18.34  input 100  output 30  reasoning 20  total 150  cost 0.00105
source "$(dirname "$0")/lib.sh"

try() {
  begin opencode-linux-x64 "$1"
  prompt "$(new_session)" | pick '
    (({ tokens: { input, output, reasoning, total }, cost }) =>
      [input, output, reasoning, total, cost])(it.info)'
}
try 1.3.2 >"$root/old"
try 1.18.34 >"$root/new"
expect "1.3.2: input, output, reasoning, total, cost" "$(<"$root/old")" '[100,50,20,150,0.00135]'
expect "1.18.34: input, output, reasoning, total, cost" "$(<"$root/new")" '[100,30,20,150,0.00105]'
exit "$changed"
