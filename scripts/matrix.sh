#!/usr/bin/env bash
# The long end-to-end scenario on every OpenCode release, each checked row by
# row against what OpenCode's own API answers.
source "$(dirname "$0")/env.sh"
"$ROOT/scripts/build.sh"
"$ROOT/scripts/setup-e2e.sh"
exec bun "$ROOT/tests/e2e/matrix.ts" "$@"
