#!/usr/bin/env bash
# Three turns in a real OpenCode against a scripted model, and the rows they leave.
source "$(dirname "$0")/env.sh"
"$ROOT/scripts/build.sh"
"$ROOT/scripts/build-cli.sh"
"$ROOT/scripts/setup-e2e.sh"
exec bun "$ROOT/tests/e2e/demo.ts"
