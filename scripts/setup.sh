#!/usr/bin/env bash
# Makes this checkout ready to run: npm packages (which bring the pinned Node and Postgres), nats-server, the build.
# Quick when there is nothing to do. Needs Node >= 20 with npm, nothing else; no sudo. `--packages` ends after the npm packages.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v npm >/dev/null || { echo "npm was not found; install Node.js 20 or newer (Debian: apt-get install nodejs npm)" >&2; exit 1; }
if [ ! -x node_modules/.bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing npm packages ..." >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
node_modules/.bin/node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 26 ? 0 : 1)' ||
  { echo "The pinned Node in node_modules does not run; delete node_modules and start again" >&2; exit 1; }
[ "${1:-}" != --packages ] || exit 0
scripts/install-nats-server.sh
if [ ! -f dist/.built ] || [ -n "$(find apps libs test package.json tsconfig.json nest-cli.json scripts/bundle.mjs -newer dist/.built -not -path '*/node_modules/*' -print -quit)" ]; then
  echo "Building ..." >&2
  npm run --silent build >&2
  touch dist/.built
fi
