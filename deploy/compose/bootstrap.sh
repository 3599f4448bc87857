#!/bin/sh
# Adds what the example cluster needs: the MinIO target, three nodes with a one-time token each, and a task for each of them.
set -eu
export HOLDFAST_USER=admin HOLDFAST_PASSWORD_FILE=/secrets/first-admin.password
holdfast() { /app/scripts/holdfast "$@"; }

until holdfast status >/dev/null 2>&1; do sleep 1; done
holdfast targets ls | grep -q minio ||
  HOLDFAST_S3_SECRET_FILE=/secrets/minio.password holdfast targets add minio --s3 http://minio:9000 --bucket holdfast --access-key holdfast
for n in 1 2 3; do
  [ -e "/agents/agent-$n/node.json" ] || [ -e "/agents/agent-$n/token" ] || {
    umask 077
    holdfast --json nodes add "agent-$n" | node -e 'process.stdin.once("data", d => process.stdout.write(JSON.parse(d).token))' >"/agents/agent-$n/token"
  }
done
