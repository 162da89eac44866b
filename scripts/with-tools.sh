#!/usr/bin/env bash
# Runs a command with the pinned tools on the PATH: scripts/with-tools.sh bun --version
source "$(dirname "$0")/env.sh"
exec "$@"
