#!/bin/sh
# Adds what the example cluster needs: the MinIO target, and three nodes with a one-time token and a nightly task each. A second run adds
# what is missing.
set -eu
export HOLDFAST_USER=admin HOLDFAST_PASSWORD_FILE=/secrets/first-admin.password
holdfast() { /app/scripts/holdfast "$@"; }
token() { node -e 'const link = JSON.parse(require("fs").readFileSync(0)); process.stdout.write((link.link ?? link).token)'; }
has() { holdfast --json "$1" ls | grep -q "\"name\":\"$2\""; }

until holdfast status >/dev/null 2>&1; do sleep 1; done
has targets minio ||
  HOLDFAST_S3_SECRET_FILE=/secrets/minio.password holdfast targets add minio --s3 http://minio:9000 --bucket holdfast --access-key holdfast
for n in 1 2 3; do
  agent=agent-$n
  [ -e "/agents/$agent/node.json" ] || [ -s "/agents/$agent/token" ] || {
    # A node that was added by a run that was cut short gets another link.
    if has nodes "$agent"; then link=$(holdfast --json nodes rotate "$agent" --link); else link=$(holdfast --json nodes add "$agent"); fi
    (umask 077 && printf '%s' "$link" | token >"/agents/$agent/token")
  }
  has tasks "$agent" || holdfast tasks add "$agent" --node "$agent" --path /protected --target minio --schedule '0 3 * * *' --keep-last 7
done
