#!/usr/bin/env bash
# A few turns in real OpenCodes, 1.x and 2.x, against a scripted model, and the rows they leave.
source "$(dirname "$0")/env.sh"
"$ROOT/scripts/build.sh"
"$ROOT/scripts/build-cli.sh"
"$ROOT/scripts/setup-e2e.sh"
exec bun "$ROOT/tests/e2e/demo.ts"
