# Sourced by every script: where things are, the pinned tools on the PATH, and
# a few words to speak with. Sets nothing up and downloads nothing.
# shellcheck shell=bash
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/pins.sh
source "$ROOT/scripts/pins.sh"

# Tools are kept outside the tree, so that a fresh clone reuses them.
export CLANKERS_CACHE="${CLANKERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/clankers}"
TOOLS="$CLANKERS_CACHE/tools"

# One folder for each pinned npm tool and version; the folder that npm fills.
npm_tool_dir() { printf '%s/%s-%s' "$TOOLS" "$1" "$2"; }
npm_tool_bin() { printf '%s/node_modules/.bin' "$(npm_tool_dir "$1" "$2")"; }

# In a Nix shell node, bun and wasm-opt are nixpkgs' own.
if [[ -z "${CLANKERS_SYSTEM_TOOLS:-}" ]]; then
  PATH="$(npm_tool_bin bun "$BUN_VERSION"):$(npm_tool_bin node "$NODE_VERSION"):$(npm_tool_bin binaryen "$BINARYEN_VERSION"):$PATH"
fi
export PATH="$TOOLS/bin:$PATH"

# npm says what matters here and nothing else.
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false \
  npm_config_loglevel=error npm_config_prefer_offline=true

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
else
  say() { printf '\n==> %s\n' "$*"; }
fi
note() { printf '    %s\n' "$*"; }
die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages: as root directly, else through sudo.
apt_install() {
  have apt-get || die "this needs the Debian packages $*, and there is no apt-get here"
  local as_root=()
  if [[ $EUID -ne 0 ]]; then
    have sudo || die "please ask an administrator to run: apt-get install $*"
    as_root=(sudo)
  fi
  note "installing Debian packages: $*"
  local quiet=(-qq -o Dpkg::Use-Pty=0)
  "${as_root[@]}" apt-get update "${quiet[@]}" || note "apt-get update failed; trying with the lists there are"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${quiet[@]}" "$@" >/dev/null ||
    die "could not install the Debian packages $*"
}

# Moves a folder made aside to its place, unless another run got there first.
move_in_place() {
  chmod 755 "$1"
  if [[ -e "$2" ]] || ! mv "$1" "$2"; then rm -rf "$1"; fi
}

# Installs a package's locked dependencies, unless they are in place already. None of
# them runs a script of its own: .npmrc says so for whoever calls npm by hand.
npm_ci() {
  [[ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]] && return
  note "npm ci in ${1#"$ROOT"/}"
  npm ci --ignore-scripts --prefix "$1" >/dev/null
}
