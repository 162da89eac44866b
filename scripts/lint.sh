#!/usr/bin/env bash
# Formatting, lints and types; no tests.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/steps.sh"
source "$ROOT/scripts/checks.sh"
cd "$ROOT"
run_lints
finish
