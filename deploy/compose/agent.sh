#!/bin/sh
# Enrols at the first start with the one-time token that bootstrap left in the state directory, then serves.
set -eu
state=/var/lib/holdfast
if [ ! -e "$state/node.json" ]; then
  HOLDFAST_ENROL_TOKEN=$(cat "$state/token") node /app/dist/apps/agent/src/main.js enrol --master http://nginx:8480 --state "$state"
  rm -f "$state/token"
fi
exec env HOLDFAST_STATE_DIR="$state" node /app/dist/apps/agent/src/main.js
