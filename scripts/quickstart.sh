#!/usr/bin/env bash
# A whole Holdfast on this machine, one backup of PATH (default: node_modules of this checkout), one restore, compared entry by
# entry. usage: scripts/quickstart.sh [--data DIR] [--exit] [PATH...]     Ctrl-C stops it and leaves no process behind.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
bash "$here/setup.sh"
exec "$here/holdfast" quickstart "$@"
