#!/bin/sh
# holdfast-install v1
# Installs or upgrades the Holdfast agent of one node. A master puts the settings in, for one link.
# Everything stands in a function that is called on the last line: a download that was cut does nothing.
# For tests: HOLDFAST_ROOT puts every file below another folder and changes no owner.
main() {
  set -eu
  umask 077
  #SETTINGS#
  root=${HOLDFAST_ROOT:-}
  image=${HOLDFAST_IMAGE:-debian:13-slim}
  wait_s=${HOLDFAST_WAIT_SECONDS:-30}
  patience=1800
  # The agent refuses settings that it does not know; those of the command line may stand in the shell of whoever runs this.
  unset HOLDFAST_ROOT HOLDFAST_IMAGE HOLDFAST_WAIT_SECONDS HOLDFAST_DATA HOLDFAST_URL HOLDFAST_TOKEN HOLDFAST_USER HOLDFAST_PASSWORD
  user=holdfast-agent
  bin=$root/usr/local/bin/holdfast-agent
  etc=$root/etc/holdfast
  state=$root/var/lib/holdfast-agent
  unit=$root/etc/systemd/system/holdfast-agent.service

  check_host
  work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-install.XXXXXX")
  agent_pid=
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  use_network
  download
  place
  case $mode in
    systemd) install_systemd ;;
    docker) install_docker ;;
    foreground) run_foreground ;;
  esac
}

say() { printf '%s\n' "holdfast: $*"; }
fail() { printf '%s\n' "holdfast: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

check_host() {
  [ "$(id -u)" = 0 ] || [ -n "$root" ] || fail "this needs root: end the command with '| sudo sh'"
  [ "$(uname -s)" = Linux ] || fail "the agent runs on Linux; this is $(uname -s)"
  case $(uname -m) in
    x86_64 | amd64) here=amd64 ;;
    aarch64 | arm64) here=arm64 ;;
    *) fail "there is no agent for the architecture $(uname -m); amd64 and arm64 there are" ;;
  esac
  [ "$arch" = auto ] || [ "$arch" = "$here" ] || fail "the link is for $arch and this host is $here; make a link with the architecture auto"
  arch=$here
  have curl || have wget || fail "neither curl nor wget is here; install one of them"
  # Two agents of one host would share the keys of one node.
  for other in "systemd:$unit:as a service" "docker:$etc/docker-compose.yml:in a container"; do
    there=${other#*:}
    [ "$mode" = "${other%%:*}" ] || [ ! -e "${there%:*}" ] ||
      fail "an agent is installed here ${there##*:}; take it away first (holdfast-agent uninstall), or make a link with the mode ${other%%:*}"
  done
  have sha256sum || fail "sha256sum is not here; install coreutils"
  case $mode in
    systemd)
      # The program may be there without what it speaks to: in a container, a chroot, another init.
      if ! have systemctl || [ "$(systemctl is-system-running 2>/dev/null)" = offline ]; then
        fail "systemd does not run here; make a link with the mode docker or foreground"
      fi ;;
    docker)
      have docker || fail "docker is not here; install it, or make a link with the mode systemd"
      docker compose version >/dev/null 2>&1 || fail "docker has no compose here (docker compose version fails); install its plugin, or make a link with the mode systemd" ;;
  esac
}

use_network() {
  ca_file=
  if [ -n "$ca" ]; then
    ca_file=$work/ca.pem
    printf '%s\n' "$ca" >"$ca_file"
    NODE_EXTRA_CA_CERTS=$ca_file
    export NODE_EXTRA_CA_CERTS
  fi
  if [ -n "$proxy" ]; then
    case $proxy in socks*) have curl || fail "wget cannot use a SOCKS proxy; install curl" ;; esac
    HOLDFAST_AGENT_PROXY=$proxy https_proxy=$proxy http_proxy=$proxy
    export HOLDFAST_AGENT_PROXY https_proxy http_proxy
  fi
}

# get URL FILE [FILE TO POST]: waits $patience seconds at most.
get() {
  url=$1 file=$2 body=${3:-}
  if have curl; then
    set -- -fsSL --connect-timeout 15 --max-time "$patience" -o "$file"
    [ -z "$ca_file" ] || set -- "$@" --cacert "$ca_file"
    [ -z "$proxy" ] || set -- "$@" --proxy "$proxy"
    [ -z "$body" ] || set -- "$@" -H 'content-type: application/json' --data-binary "@$body"
    curl "$@" "$url"
  else
    set -- -q -T 60 -O "$file"
    [ -z "$ca_file" ] || set -- "$@" --ca-certificate="$ca_file"
    [ -z "$body" ] || set -- "$@" --header='content-type: application/json' --post-file="$body"
    wget "$@" "$url"
  fi
}

is_page() { head -c 1000 "$1" | grep -qi '<html\|<!doctype html'; }
sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }
published() { sed -n "s/^\([0-9a-f]\{64\}\)  $1\$/\1/p" "$work/sums"; }

# fetch_part NAME OF FILE, SUFFIX: downloads and verifies.
fetch_part() {
  want=$(published "$1")
  get "$builds$2" "$work/$1" || fail "the agent could not be downloaded from $builds$2; is the network of this host in order?"
  [ "$(sum_of "$work/$1")" = "$want" ] && return 0
  ! is_page "$work/$1" || fail "a web page came in place of the agent: a proxy between this host and $master answers by itself. Nothing was installed"
  fail "what came from $builds$2 is not the agent (its SHA-256 is wrong): the download was cut, or a proxy changed it. Nothing was installed"
}

download() {
  name=holdfast-agent-linux-$arch
  builds=$master/api/v1/agent/$version/linux-$arch
  say "downloading the agent ($version, $arch) from $master"
  get "$builds.sha256" "$work/sums" || fail "$master has no agent $version for $arch, or is not reachable from here; the master says at $builds.sha256 what is missing"
  if [ -z "$(published "$name")" ]; then
    if is_page "$work/sums"; then fail "a web page came in place of the agent's sums: a proxy between this host and $master answers by itself"; fi
    fail "$builds.sha256 does not hold the SHA-256 of the agent; build it anew on the master"
  fi
  if have zstd && [ -n "$(published "$name.zst" || true)" ]; then
    fetch_part "$name.zst" .zst
    zstd -q -d -f "$work/$name.zst" -o "$work/$name"
    [ "$(sum_of "$work/$name")" = "$(published "$name")" ] || fail "the unpacked agent has a wrong SHA-256. Nothing was installed"
  else
    fetch_part "$name" ''
  fi
}

# In one step: what runs now goes on with the old file until it is started again.
place() {
  (umask 022 && mkdir -p "$root/usr/local/bin")
  cp "$work/$name" "$bin.new"
  chmod 755 "$bin.new"
  if ! "$bin.new" --version >"$work/version" 2>&1; then
    rm -f "$bin.new"
    fail "the agent does not run on this host: $(head -n 1 "$work/version"). Nothing was changed"
  fi
  mv -f "$bin.new" "$bin"
  say "installed $bin ($(cat "$work/version"))"
  rm -f "$work/$name" "$work/$name.zst"
}

write_config() {
  (umask 022 && mkdir -p "$etc")
  {
    echo 'HOLDFAST_STATE_DIR=/var/lib/holdfast-agent'
    echo "HOLDFAST_INSTALL_MODE=$mode"
    [ -z "$proxy" ] || printf 'HOLDFAST_AGENT_PROXY=%s\n' "$proxy"
    [ -z "$ca" ] || echo 'NODE_EXTRA_CA_CERTS=/etc/holdfast/ca.pem'
  } >"$etc/agent.env.new"
  chmod 600 "$etc/agent.env.new"
  mv -f "$etc/agent.env.new" "$etc/agent.env"
  [ -z "$ca" ] || { printf '%s\n' "$ca" >"$etc/ca.pem"; chmod 644 "$etc/ca.pem"; }
  mkdir -p "$state"
  chmod 700 "$state"
}

as_agent() {
  if [ -n "$root" ] || [ "$mode" != systemd ]; then "$@"
  elif have setpriv; then setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
  else su -s /bin/sh -c 'exec "$0" "$@"' -- "$user" "$@"
  fi
}

# A host that had an agent goes on with its old keys when it did not get new ones.
restart_old() {
  case $mode in
    systemd) [ ! -e "$unit" ] || systemctl start holdfast-agent.service || true ;;
    docker) [ ! -e "$etc/docker-compose.yml" ] || docker compose -f "$etc/docker-compose.yml" up -d || true ;;
  esac
}

# The token goes in through the environment: arguments are there for every user of the host to read.
enrol() {
  HOLDFAST_INSTALL_MODE=$mode
  export HOLDFAST_INSTALL_MODE
  set -- "$bin" enrol --master "$master" --state "$state"
  [ ! -e "$state/node.json" ] || set -- "$@" --again
  [ -z "$ca_file" ] || [ "$mode" != systemd ] || [ -n "$root" ] || NODE_EXTRA_CA_CERTS=$etc/ca.pem
  HOLDFAST_ENROL_TOKEN=$token
  export HOLDFAST_ENROL_TOKEN
  if ! as_agent "$@" >/dev/null; then
    restart_old
    fail "this host could not be enrolled; the line above says why. Run the same again; when the link was used or is over, make a new one"
  fi
  unset HOLDFAST_ENROL_TOKEN
}

# Until the master sees the node; prints why not: what the master knows, and what this host sees of names, ports, certificates and clocks.
await_online() {
  printf '{"token":"%s"}' "$token" >"$work/question"
  patience=10
  began=$(date +%s)
  waited=0
  while [ "$waited" -lt "$wait_s" ]; do
    if get "$master/api/v1/install/status" "$work/answer" "$work/question" 2>"$work/error" && grep -q '"presence":"online"' "$work/answer"; then
      say "$node is online"
      return 0
    fi
    if [ -n "$agent_pid" ] && ! kill -0 "$agent_pid" 2>/dev/null; then break; fi
    sleep 1
    waited=$(($(date +%s) - began))
  done
  say "$node is installed, and the master does not see it online after $waited s. What the master knows:" >&2
  if [ -s "$work/answer" ] && is_page "$work/answer"; then say "a web page came in place of an answer: a proxy on the way answers by itself" >&2
  else cat "$work/answer" "$work/error" >&2 2>/dev/null || true; fi
  printf '\n' >&2
  say 'What this host sees:' >&2
  as_agent "$bin" status --state "$state" --check >&2 || true
  return 1
}

install_systemd() {
  id -u "$user" >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir /var/lib/holdfast-agent --shell /usr/sbin/nologin "$user"
  systemctl stop holdfast-agent.service >/dev/null 2>&1 || true
  write_config
  [ -n "$root" ] || chown "$user:$user" "$state"
  enrol
  write_unit
  systemctl daemon-reload && systemctl enable --now holdfast-agent.service ||
    fail "this host is enrolled, and systemd does not start its agent; the line above says why. When that is mended: systemctl enable --now holdfast-agent.service"
  await_online || {
    systemctl status --no-pager --lines=0 holdfast-agent.service >&2 || true
    if have journalctl; then journalctl -u holdfast-agent.service -n 20 --no-pager >&2 || true; fi
    exit 1
  }
}

write_unit() {
  (umask 022 && mkdir -p "$unit.d")
  cat >"$unit" <<'UNIT'
[Unit]
Description=Holdfast agent
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=holdfast-agent
Group=holdfast-agent
EnvironmentFile=/etc/holdfast/agent.env
ExecStart=/usr/local/bin/holdfast-agent
Restart=always
RestartSec=5
TimeoutStopSec=60
StateDirectory=holdfast-agent
StateDirectoryMode=0700
UMask=0077
# Reading any file is all that a backup needs. Restores to where files came from need more: restore.conf beside this unit.
AmbientCapabilities=CAP_DAC_READ_SEARCH
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
# The keys of a run are in memory and nowhere else: no core file, no swap.
LimitCORE=0
MemorySwapMax=0
# The host is read-only to the agent, but for its own folder.
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
UNIT
  chmod 644 "$unit"
  if [ "$restores" = yes ]; then
    cat >"$unit.d/restore.conf" <<'UNIT'
# Restores may write anywhere. CAP_DAC_OVERRIDE: into folders of other users. CAP_CHOWN, CAP_FOWNER, CAP_FSETID: owners, modes and
# times of restored files. CAP_MKNOD: device nodes. CAP_SETFCAP: capabilities that files carry. Delete this file to forbid it.
[Service]
AmbientCapabilities=CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_MKNOD CAP_SETFCAP
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_MKNOD CAP_SETFCAP
ProtectSystem=no
RestrictSUIDSGID=no
UNIT
    chmod 644 "$unit.d/restore.conf"
  else
    rm -f "$unit.d/restore.conf"
  fi
}

install_docker() {
  docker compose -f "$etc/docker-compose.yml" down >/dev/null 2>&1 || true
  write_config
  enrol
  writable=':ro'
  more=''
  if [ "$restores" = yes ]; then
    writable=''
    more=', DAC_OVERRIDE, CHOWN, FOWNER, FSETID, MKNOD, SETFCAP'
  fi
  cat >"$etc/docker-compose.yml" <<COMPOSE
# The host's files are below /host: choose sources such as /host/etc.
services:
  holdfast-agent:
    image: $image
    container_name: holdfast-agent
    command: [/usr/local/bin/holdfast-agent]
    user: "0:0"
    network_mode: host
    restart: unless-stopped
    init: true
    env_file: /etc/holdfast/agent.env
    cap_drop: [ALL]
    cap_add: [DAC_READ_SEARCH$more]
    security_opt: ["no-new-privileges:true"]
    ulimits: { core: 0 }
    read_only: true
    tmpfs: [/tmp]
    volumes:
      - /usr/local/bin/holdfast-agent:/usr/local/bin/holdfast-agent:ro
      - /etc/holdfast:/etc/holdfast:ro
      - /var/lib/holdfast-agent:/var/lib/holdfast-agent
      - /:/host$writable
COMPOSE
  chmod 600 "$etc/docker-compose.yml"
  docker compose -f "$etc/docker-compose.yml" up -d ||
    fail "this host is enrolled, and docker does not start its agent; the line above says why. When that is mended: docker compose -f $etc/docker-compose.yml up -d"
  await_online || {
    docker compose -f "$etc/docker-compose.yml" logs --tail 20 >&2 || true
    exit 1
  }
}

run_foreground() {
  mkdir -p "$state"
  chmod 700 "$state"
  enrol
  HOLDFAST_STATE_DIR=$state "$bin" &
  agent_pid=$!
  trap 'kill "$agent_pid" 2>/dev/null || true; wait "$agent_pid" || true; rm -rf "$work"' EXIT
  await_online || exit 1
  say 'it runs until this is ended with Ctrl-C'
  wait "$agent_pid"
}

main </dev/null
