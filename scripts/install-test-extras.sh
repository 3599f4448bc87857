#!/usr/bin/env bash
# Test extras: Debian's attr and acl (extended attributes) and swift (a real S3 server). Only as root on Debian, only what is
# missing, never fatal: tests that need an extra are counted as skipped without it.
set -uo pipefail
[ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || exit 0
missing=()
command -v getfattr >/dev/null || missing+=(attr)
command -v setfacl >/dev/null || missing+=(acl)
if ! command -v swift-proxy-server >/dev/null && ! command -v versitygw >/dev/null && ! command -v minio >/dev/null; then
  missing+=(swift swift-proxy swift-account swift-container swift-object)
fi
[ ${#missing[@]} -gt 0 ] || exit 0
echo "Installing test extras: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
  { apt-get update -qq >/dev/null 2>&1 && apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1; } ||
  echo "Could not install them; the tests that need them are skipped." >&2
