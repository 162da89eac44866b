# Sourced by every finding. Serves a pinned release of OpenCode from a new, empty
# home, with the scripted model of model.mjs, and speaks its HTTP API.
# shellcheck shell=bash
set -eEuo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(mktemp -d)"
processes=()
changed=0
# 2.x serves nobody without a password. The user's name is fixed.
password=findings
# What the program is called, and with it its folders and its configuration, and
# the package that it installs for plugins. A finding of a fork sets them.
application=opencode
helper=@opencode-ai/plugin

# A finding ends with 0 where it holds, with 1 where the behaviour is another one
# now (`exit "$changed"`), and with 2 where it could not be tried.
could_not() {
  printf 'could not %s\n' "$*" >&2
  exit 2
}
trap 'exit 2' ERR INT TERM
trap 'stop; rm -rf "$root"' EXIT

# Ends what this finding started.
stop() {
  local process
  for process in "${processes[@]}"; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  processes=()
}

# begin PACKAGE VERSION [PLUGIN]: serves a release, with a plugin's file in its
# configuration. Afterwards `opencode` runs the same release in the same home.
begin() {
  local package="$1" version="$2" plugin="${3-}"
  stop
  home="$root/$version"
  mkdir -p "$home/npm" "$home/project"
  npm install --prefix "$home/npm" --no-audit --no-fund --loglevel=error "$package@$version" >"$home/npm.log" ||
    could_not "install $package@$version"
  program="$home/npm/node_modules/$package/bin/$application"

  # An earlier start of this release left its addresses in them.
  rm -f "$home/model.log" "$home/serve.log"
  node "$here/model.mjs" >"$home/model.log" &
  processes+=("$!")
  configure "$version" "$(wait_for "$home/model.log" 'http://\S+')" "$plugin"
  opencode serve --hostname 127.0.0.1 --port 0 >"$home/serve.log" 2>&1 &
  processes+=("$!")
  server="$(wait_for "$home/serve.log" 'listening on \Khttp://\S+')"
}

# share OLDER NEWER: has the newer release work on the older one's data, in its
# project. Call it before the newer one begins for the first time.
share() {
  mkdir -p "$root/$1/data" "$root/$1/project" "$root/$2"
  ln -s "$root/$1/data" "$root/$1/project" "$root/$2/"
}

# configure VERSION MODEL PLUGIN
configure() {
  local config="$home/config/$application" cache="$home/cache/$application"
  mkdir -p "$config/node_modules" "$cache"
  cat >"$config/$application.json" <<JSON
{
  "model": "scripted/large",
  "small_model": "scripted/large",
  "plugin": [${3:+"\"file://$3\""}],
  "provider": {
    "scripted": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "$2", "apiKey": "scripted" },
      "models": {
        "large": {
          "limit": { "context": 200000, "output": 8192 },
          "cost": { "input": 3, "output": 15 }
        }
      }
    }
  }
}
JSON
  # As an earlier start leaves it, so that nothing is fetched from the network:
  # the helper package for plugins, the cache's number and the list of models.
  local needs="{ \"dependencies\": { \"$helper\": \"$1\" } }"
  echo "$needs" >"$config/package.json"
  echo "{ \"packages\": { \"\": $needs } }" >"$config/package-lock.json"
  echo 21 >"$cache/version"
  echo '{}' >"$cache/models.json"
}

# Replaces the shell that it runs in: call it in the background or in `( )`.
opencode() {
  local login=() prefix="${application^^}"
  # Only for `serve`: `run` of 1.14 does not get past a password of its own.
  if [[ "$1" == serve ]]; then login=("${prefix}_SERVER_PASSWORD=$password"); fi
  cd "$home/project"
  exec env -i PATH="$PATH" PWD="$PWD" HOME="$home" \
    XDG_CONFIG_HOME="$home/config" XDG_CACHE_HOME="$home/cache" \
    XDG_DATA_HOME="$home/data" XDG_STATE_HOME="$home/state" \
    "${prefix}_DISABLE_MODELS_FETCH=1" "${prefix}_DISABLE_AUTOUPDATE=1" "${login[@]}" "$program" "$@" </dev/null
}

# wait_for FILE PATTERN: prints the first match, which is awaited for a minute.
wait_for() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    grep -oPm1 "$2" "$1" 2>/dev/null && return
    sleep 0.1
  done
  cat "$1" >&2 || true
  could_not "find $2 in $1"
}

# call METHOD PATH [BODY]: prints the status of the answer, a blank and the body.
call() {
  node -e '
    const [login, url, method, body] = process.argv.slice(1);
    const headers = {
      authorization: `Basic ${btoa(login)}`,
      "content-type": "application/json",
    };
    fetch(url, { method, body, headers }).then(async (answer) =>
      process.stdout.write(`${answer.status} ${await answer.text()}`));
  ' "$application:$password" "$server$2" "$1" ${3+"$3"}
}

# status METHOD PATH
status() {
  local answer
  answer="$(call "$@")"
  echo "${answer%% *}"
}

# ask METHOD PATH [BODY]: prints the body of an answer that must be a success.
ask() {
  local answer
  answer="$(call "$@")"
  [[ "$answer" == 2* ]] || could_not "$1 $2: $answer"
  printf '%s' "${answer#* }"
}

# pick EXPRESSION: evaluates JavaScript over the JSON on stdin, which is `it`.
pick() {
  node -e '
    const it = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    const found = eval(`(${process.argv[1]})`);
    console.log(typeof found === "string" ? found : JSON.stringify(found));
  ' "$1"
}

# For 1.x: a new session's id, and a turn in it, whose answer is printed.
new_session() { ask POST /session '{}' | pick it.id; }
prompt() { ask POST "/session/$1/message" '{ "parts": [{ "type": "text", "text": "Hello." }] }'; }

# Writes what the server's event stream says to $root/stream, a line for each
# event: that of 2.x, or the one at this PATH.
listen() {
  local path="${1-/api/event}"
  rm -f "$root/stream"
  node -e '
    const [login, url] = process.argv.slice(1);
    fetch(url, { headers: { authorization: `Basic ${btoa(login)}` } }).then(async ({ body }) => {
      const decoder = new TextDecoder();
      for await (const chunk of body) process.stdout.write(decoder.decode(chunk, { stream: true }));
    });
  ' "$application:$password" "$server$path" >"$root/stream" 2>"$root/stream.log" &
  processes+=("$!")
  wait_for "$root/stream" 'data:.*' >"$root/connected"
}

# For 2.x: it copies what 1.x left while it already serves. This waits for the end.
migrated() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    if ask GET /api/experimental/migration/v1 | grep -q '"completed"'; then return; fi
    sleep 0.1
  done
  could_not "see the end of the migration"
}

# settle SESSION: a turn's last changes to a session come after its answer, so
# this waits until the session has stayed the same for two seconds.
settle() {
  local before="" now
  now="$(ask GET "/session/$1")"
  while [[ "$now" != "$before" ]]; do
    sleep 2
    before="$now"
    now="$(ask GET "/session/$1")"
  done
}

# expect WHAT SEEN FOUND: compares what is seen now with what was found.
expect() {
  if [[ "$2" == "$3" ]]; then
    printf 'holds: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s; found was %s\n' "$1" "$2" "$3"
    changed=1
  fi
}
