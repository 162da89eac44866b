#!/usr/bin/env bash
# Removes what was built. The cache of tools stays, and so does .clankers-dev/,
# which may hold a database that someone wants.
source "$(dirname "$0")/env.sh"
cd "$ROOT"
rm -rf target pkg plugin-shim/dist plugin-shim/node_modules tests/e2e/node_modules
