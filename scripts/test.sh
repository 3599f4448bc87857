#!/usr/bin/env bash
# Everything that must hold before a change lands: set-up, types, lint, import rules, dead code, unit, integration and
# end-to-end tests, and a slice of the campaign that kills at random (`npm run test:fault` runs all campaigns, whole). Closes with what failed, if anything did, and the line
# `N passed, N failed[, N skipped]`. What does not disturb each other runs side by side; the output comes in order.
# Extras that are used where this machine has them (or, as root on Debian, gets them): attr, acl, an S3 server.
set -uo pipefail
cd "$(dirname "$0")/.."
reports=$(mktemp -d)
# Whoever breaks this off ends what runs in the background too.
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$reports"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0 skipped=0
declare -A process

bash scripts/install-test-extras.sh &
extras=$!
set_up() {
  bash scripts/setup.sh "$@" || { echo "The set-up failed; nothing was tested." >&2; echo "0 passed, 1 failed"; exit 1; }
}
set_up --packages
export PATH=$PWD/node_modules/.bin:$PATH
# Compiled modules are shared by the processes of all tests.
export NODE_COMPILE_CACHE=$reports/compiled

gate() {
  local name=$1
  shift
  "$@" >"$reports/$name.log" 2>&1
  echo $? >"$reports/$name.code"
}

broken_gates=""
show_gates() {
  local name
  for name in "types" "lint" "import rules" "dead code" "event catalogue" "OpenAPI file"; do
    echo "== $name"
    cat "$reports/$name.log"
    if [ "$(cat "$reports/$name.code")" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); broken_gates+="FAILED: $name"$'\n'"$(grep -v '^$' "$reports/$name.log" | head -n 12 | cut -c 1-300)"$'\n'; echo "FAILED: $name"; fi
  done
}

begin_suite() {
  local project=$1
  shift
  vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$reports/$project.json" "$@" >"$reports/$project.log" 2>&1 &
  process[$project]=$!
}

show_suite() {
  local project=$1 code counts
  echo "== $project tests"
  tail -n +1 -f --pid="${process[$project]}" "$reports/$project.log"
  wait "${process[$project]}"
  code=$?
  counts=$(node scripts/count-tests.mjs "$reports/$project.json") || counts="0 1 0"
  # shellcheck disable=SC2086
  set -- $counts
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  # A run that fails outside of a test (an unhandled error, a suite that does not load) must not look green.
  if [ $code -ne 0 ] && [ "$2" -eq 0 ]; then failed=$((failed + 1)); fi
}

# Lint needs the packages only, and takes as long as the build.
gate "lint" eslint . &
lint=$!
set_up
wait $extras || true

# Beside everything else, and with the check and the restore of every snapshot that follow, about three minutes. The campaign waits more than
# it computes, as end-to-end tests do: both fill what the others leave. Each file of these and the campaign have a stack of their own.
HOLDFAST_FAULT_SECONDS=${HOLDFAST_FAULT_SECONDS:-80} begin_suite fault kill-anything
{
  gate "types" tsc --noEmit
  gate "import rules" depcruise apps libs test
  gate "dead code" knip
  gate "event catalogue" node scripts/event-catalogue.mjs --check
  gate "OpenAPI file" node scripts/openapi.mjs --check
} &
gates=$!
begin_suite unit --maxWorkers=1
wait $lint $gates
show_gates
show_suite unit

begin_suite e2e --maxWorkers=2
begin_suite int --maxWorkers=2
show_suite fault
show_suite e2e
show_suite int

printf '%s' "$broken_gates"
node scripts/failed-tests.mjs "$reports"/{unit,int,e2e,fault}.json
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed -eq 0 ]
