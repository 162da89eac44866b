#!/usr/bin/env bash
# Puts the `clankers` program where it is called by its name: into bin/ of
# $PREFIX, which is ~/.local unless told. What is put there is what `make cli`
# leaves, or the program that is named as the argument.
source "$(dirname "$0")/env.sh"
program="${1:-$ROOT/target/release/clankers}"
bin="${PREFIX:-$HOME/.local}/bin"
[[ -x "$program" ]] || die "there is no $program: \`make cli\` builds it"

say "Installing the clankers program"
mkdir -p "$bin"
# In one step: one that is running goes on, and nobody finds half a program.
new="$bin/.clankers.$$"
trap 'rm -f "$new"' EXIT
cp "$program" "$new"
chmod 755 "$new"
mv "$new" "$bin/clankers"
note "$bin/clankers"

found="$(command -v clankers || true)"
if [[ "$found" -ef "$bin/clankers" ]]; then
  note "next: clankers install"
elif [[ -n "$found" ]]; then
  note "the PATH has another one first: $found"
  note "next: $bin/clankers install"
else
  note "$bin is not on the PATH: add it in your shell's profile"
  note "next: $bin/clankers install"
fi
