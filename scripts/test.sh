#!/usr/bin/env bash
# Everything that must hold before a change lands: set-up, types, lint, import rules, dead code, unit, integration and
# end-to-end tests, and a three-minute slice of the fault campaign. Closes with the line `N passed, N failed[, N skipped]`.
# Extras that are used where this machine has them (or, as root on Debian, gets them): attr, acl, an S3 server.
set -uo pipefail
cd "$(dirname "$0")/.."
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
passed=0 failed=0 skipped=0

bash scripts/setup.sh || { echo "The set-up failed; nothing was tested." >&2; echo "0 passed, 1 failed"; exit 1; }
export PATH=$PWD/node_modules/.bin:$PATH
bash scripts/install-test-extras.sh || true

gate() {
  local name=$1
  shift
  echo "== $name"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $name"; fi
}

suite() {
  local project=$1
  shift
  echo "== $project tests"
  vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$reports/$project.json" "$@"
  local code=$?
  local counts
  counts=$(node scripts/count-tests.mjs "$reports/$project.json") || counts="0 1 0"
  # shellcheck disable=SC2086
  set -- $counts
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  # A run that fails outside of a test (an unhandled error, a suite that does not load) must not look green.
  if [ $code -ne 0 ] && [ "$2" -eq 0 ]; then failed=$((failed + 1)); fi
}

gate "types" tsc --noEmit
gate "lint" eslint .
gate "import rules" depcruise apps libs test
gate "dead code" knip
gate "event catalogue" node scripts/event-catalogue.mjs --check
gate "OpenAPI file" node scripts/openapi.mjs --check
suite unit
suite int
suite e2e
HOLDFAST_FAULT_SECONDS=${HOLDFAST_FAULT_SECONDS:-150} suite fault

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed -eq 0 ]
