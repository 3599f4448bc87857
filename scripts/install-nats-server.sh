#!/usr/bin/env bash
# Puts nats-server 2.12 or newer into .tools/ unless PATH or .tools/ has one. Changes nothing else on the machine.
# On Debian: from a newer suite of the machine's own mirror, through apt, signatures checked. Elsewhere: with Go, if it is here.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
say() { printf '%s\n' "$*" >&2; }

new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/.*v\([0-9]*\)\.\([0-9]*\).*/\1 \2/p') || return 1
  [ -n "$version" ] || return 1
  # shellcheck disable=SC2086
  set -- $version
  [ "$1" -gt 2 ] || { [ "$1" -eq 2 ] && [ "$2" -ge 12 ]; }
}

for program in "$(command -v nats-server || true)" "$tools/nats/usr/sbin/nats-server" "$tools/bin/nats-server"; do
  if [ -n "$program" ] && [ -x "$program" ] && new_enough "$program"; then exit 0; fi
done

from_debian() {
  local room=$1 suite=$2 mirror
  local apt=(-qq -o "Dir::State::Lists=$room/lists" -o "Dir::Cache=$room/cache" -o APT::Sandbox::User=root)
  [ -r /etc/os-release ] || return 1
  # shellcheck disable=SC1091
  . /etc/os-release
  mkdir -p "$room/lists/partial" "$room/cache/archives/partial"
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v r="${VERSION_CODENAME:-}" '$2 == r { print $1; exit }')
  if [ -z "$mirror" ]; then # a machine that never ran apt-get update
    apt-get "${apt[@]}" update >&2 || return 1
    mirror=$(apt-get "${apt[@]}" indextargets --format '$(REPO_URI) $(RELEASE)' | awk -v r="${VERSION_CODENAME:-}" '$2 == r { print $1; exit }')
  fi
  [ -n "$mirror" ] || return 1
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$room/list"
  apt+=(-o "Dir::Etc::SourceList=$room/list" -o Dir::Etc::SourceParts=-)
  apt-get "${apt[@]}" update >&2 && (cd "$room" && apt-get "${apt[@]}" download nats-server >&2) || return 1
  mkdir -p "$tools/nats"
  dpkg -x "$room"/nats-server_*.deb "$tools/nats"
  new_enough "$tools/nats/usr/sbin/nats-server"
}

if command -v apt-get >/dev/null && [ -r /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  room=$(mktemp -d)
  trap 'rm -rf "$room"' EXIT
  for suite in forky sid; do
    say "Fetching nats-server from Debian $suite into .tools/ ..."
    if from_debian "$room" "$suite"; then exit 0; fi
    rm -rf "${room:?}"/*
  done
fi

if command -v go >/dev/null; then
  say "Building nats-server with Go into .tools/bin/ ..."
  if GOBIN="$tools/bin" go install github.com/nats-io/nats-server/v2@v2.12.2 && new_enough "$tools/bin/nats-server"; then exit 0; fi
fi

say "nats-server 2.12 or newer is needed and could not be fetched here."
say "Install it from https://github.com/nats-io/nats-server/releases, put it on PATH and run this again."
exit 1
