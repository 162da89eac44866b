#!/usr/bin/env bash
# What the tests in real OpenCode need beside the plugin.
source "$(dirname "$0")/env.sh"

# Old releases of OpenCode try to download ripgrep unless they find one.
have rg || apt_install ripgrep
# A person at OpenCode's screen is played in tmux.
have tmux || apt_install tmux
npm_ci "$ROOT/tests/e2e"
