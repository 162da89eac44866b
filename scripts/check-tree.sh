#!/usr/bin/env bash
# Checks what no compiler does: that nothing tracked names the machine it was
# made on or the registry it came from, and that each tool is pinned once.
source "$(dirname "$0")/env.sh"
cd "$ROOT"
failed=0

# refuse <what> <git grep arguments…>: no tracked line may match.
refuse() {
  local what="$1"
  shift
  if git grep -nIE "$@"; then
    note "^ $what"
    failed=1
  fi
}

# agree <where> <found> <pinned>
agree() {
  [[ "$2" == "$3" ]] && return
  note "$1 says ${2:-nothing}, scripts/pins.sh says $3"
  failed=1
}

# Examples and recordings live in a folder of `user`.
folders='(root|work|builds|workspace)/|(home|Users)/(?!user/)[A-Za-z0-9_.-]+/'
if git grep -nIP "(?<![A-Za-z0-9_.~\$}*-])/($folders)" -- . ':!scripts/check-tree.sh'; then
  note "^ a machine's path; recordings and examples use /home/user/"
  failed=1
fi
refuse "a download address in a lock file" '"resolved": *"http' -- '*.json'
refuse "a registry's host" '://(registry|index|static|files|deb|npm)[.]'
refuse "a machine's npm settings" '^[^#]*(registry=|_auth)' -- '*.npmrc'

while read -r lock; do
  grep -qx 'ignore-scripts=true' "$(dirname "$lock")/.npmrc" && continue
  note "$lock has no .npmrc beside it that says ignore-scripts=true"
  failed=1
done < <(git ls-files '*package-lock.json')

locked() { awk -v name="\"$1\"" '$1 == "name" { at = $3 } $1 == "version" && at == name { gsub("\"", "", $3); print $3; exit }' Cargo.lock; }
agree "Cargo.toml's wasm-bindgen" "$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' Cargo.toml)" "$WASM_BINDGEN_VERSION"
agree "Cargo.lock's wasm-bindgen" "$(locked wasm-bindgen)" "$WASM_BINDGEN_VERSION"

exit "$failed"
