#!/bin/sh
# Makes every secret of the compose cluster once: keys, passwords, the three NATS configurations. A second run changes nothing.
set -eu
secret() { [ -s "$1" ] || { umask 077; node -e 'process.stdout.write(require("crypto").randomBytes(24).toString("base64url"))' >"$1.new" && mv "$1.new" "$1"; }; }

cd /secrets
secret postgres.password
secret minio.password
secret first-admin.password
[ -s postgres.url ] || printf 'postgres://holdfast:%s@postgres:5432/holdfast' "$(cat postgres.password)" >postgres.url
/app/scripts/holdfast keys init /secrets/keys
mkdir -p nats
for n in 1 2 3; do
  [ -s "nats/nats-$n.conf" ] || /app/scripts/holdfast keys nats-conf /secrets/keys --name "nats-$n" --cluster holdfast \
    --route nats-route://nats-1:6222 nats-route://nats-2:6222 nats-route://nats-3:6222 >"nats/nats-$n.conf"
done
# Masters run as user 10001; Postgres and MinIO read their password as root before they drop it.
chown -R 10001 /secrets/keys postgres.url first-admin.password
