# Sourced by what runs checks one after another: each with a heading and the
# time it took, a summary at the end, and a stop at the first failure.
# shellcheck shell=bash
steps_done=()
steps_started=$SECONDS
# What a step writes here is told at the very end, should it fail: a CI may show that alone.
STEP_DETAILS="$(mktemp)"
trap 'rm -f "$STEP_DETAILS"' EXIT

# step <heading> <command…>
step() {
  local heading="$1" began=$SECONDS status
  shift
  say "$heading"
  # Not tested by `if` or `&&`: that would turn off errexit inside the command.
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  steps_done+=("$(printf '%5d s  %s' $((SECONDS - began)) "$heading")")
  if [[ $status -ne 0 ]]; then
    print_steps
    [[ ! -s "$STEP_DETAILS" ]] || printf '\n%s\n' "$(cat "$STEP_DETAILS")"
    printf '\nfailed: %s\n%d passed, 1 failed\n' "$heading" $((${#steps_done[@]} - 1))
    exit 1
  fi
}

print_steps() {
  say "Steps"
  printf '%s\n' "${steps_done[@]}"
  printf '%5d s  in all\n' $((SECONDS - steps_started))
}

# The last line stands alone, for a CI that reads it.
finish() {
  print_steps
  printf '\n%d passed, 0 failed\n' "${#steps_done[@]}"
}
