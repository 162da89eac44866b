#!/usr/bin/env bash
# Parses and evaluates flake.nix with Nix's own evaluator. Where there is no Nix
# and root may install Debian's, it does; elsewhere it says so and leaves it out.
source "$(dirname "$0")/env.sh"
cd "$ROOT"

if ! have nix-instantiate && have apt-get && [[ $EUID -eq 0 ]]; then
  (apt_install nix-bin) || note "no Nix to be had"
fi
if ! have nix-instantiate; then
  note "left out: there is no nix-instantiate here"
  exit
fi

# The evaluator wants a state folder even when nothing is built.
state="$(mktemp -d)"
trap 'rm -rf "$state"' EXIT
export NIX_STATE_DIR="$state" NIX_REMOTE="dummy://" NIX_CONFIG="build-users-group ="
for file in flake.nix nix/*.nix; do
  nix-instantiate --parse "$file" >/dev/null
done
verdict="$(nix-instantiate --eval --strict nix/check.nix)"
note "$verdict"
