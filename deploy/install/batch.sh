#!/bin/sh
# holdfast-batch v1
# Installs the Holdfast agent on the nodes of one batch. Each link works once, until #UNTIL#.
# This file holds their one-time tokens: keep it to yourself (chmod 600) and delete it when all nodes are online.
#
#   sh FILE list                       the names of the nodes, one a line
#   sh FILE ssh [NAME | NAME=HOST]...  installs on these nodes (default: all) over ssh, ten at a time; HOST, by default the name, is what
#                                      ssh is given. The user there is root or may use sudo without a password. HOLDFAST_SSH is the
#                                      command (default: ssh -o BatchMode=yes). Ends with 1 when one of them failed, and says which.
#   sh FILE print NAME                 the script for one node, to be run there as root; it holds the token of that node only
#   sh FILE here NAME                  runs that script on this host
#
# A loop of your own:    sh FILE print web-1 | ssh web-1 'sudo sh -s'
# A task of Ansible, where the inventory has the names of the nodes:
#   - ansible.builtin.command: { cmd: sh -s, stdin: "{{ lookup('pipe', 'sh FILE print ' + inventory_hostname) }}" }
#     become: true
#     no_log: true
# Tokens travel by pipes, never among the arguments of a program, where every user of a host could read them.
main() {
  set -eu
  umask 077
  at_once=10
  ssh=${HOLDFAST_SSH:-ssh -o BatchMode=yes}
  verb=${1:-help}
  [ $# -eq 0 ] || shift
  case $verb in
    list) names ;;
    print) url_of "${1:-}" >/dev/null || no_such "${1:-}"; print_one "$1" ;;
    here) url_of "${1:-}" >/dev/null || no_such "${1:-}"; print_one "$1" | sh -s ;;
    ssh) over_ssh "$@" ;;
    *) sed -n '2,/^main/ { /^#/p; }' "$0" >&2; exit 2 ;;
  esac
}

fail() { printf '%s\n' "holdfast: $*" >&2; exit 1; }
no_such() { fail "there is no node \"$1\" in this batch; see: sh $0 list"; }

#NODES#
# What runs on the host of one node, as root or through sudo.
print_one() {
  printf 'url=%s\n' "'$(url_of "$1")'"
  cat <<'SETTINGS'
#SETTINGS#
SETTINGS
  cat <<'SCRIPT'
set -eu
umask 077
fail() { printf '%s\n' "holdfast: $*" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-batch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
printf '%s\n' "$ca" >"$work/ca.pem"
if command -v curl >/dev/null 2>&1; then
  set -- -fsSL --connect-timeout 15 --max-time 60 -o "$work/install.sh"
  [ -z "$ca" ] || set -- "$@" --cacert "$work/ca.pem"
  [ -z "$proxy" ] || set -- "$@" --proxy "$proxy"
  printf 'url = "%s"\n' "$url" | curl "$@" -K - || fail "the install script could not be fetched from ${url%/install/*}"
elif command -v wget >/dev/null 2>&1; then
  set -- -q -T 60 -O "$work/install.sh"
  [ -z "$ca" ] || set -- "$@" --ca-certificate="$work/ca.pem"
  [ -z "$proxy" ] || export http_proxy="$proxy" https_proxy="$proxy"
  printf '%s\n' "$url" | wget "$@" -i - || fail "the install script could not be fetched from ${url%/install/*}"
else
  fail 'neither curl nor wget is here; install one of them'
fi
grep -q '^# holdfast-install v1$' "$work/install.sh" ||
  fail 'what came is not the install script but, it seems, a page of a proxy on the way; nothing was installed'
if [ "$(id -u)" = 0 ] || [ -n "${HOLDFAST_ROOT:-}" ]; then sh "$work/install.sh"; else sudo -n sh "$work/install.sh"; fi
SCRIPT
}

# over_one NUMBER NAME[=HOST]
over_one() {
  name=${2%%=*}
  host=${2#*=}
  # shellcheck disable=SC2086 # a command of several words
  if print_one "$name" | $ssh "$host" 'sh -s' >"$work/$1.log" 2>&1; then
    printf '%s\n' "holdfast: $name is online"
  else
    printf '%s\n' "$name" >"$work/$1.failed"
    { printf '%s\n' "holdfast: $name FAILED"; sed 's/^/  /' "$work/$1.log"; } >&2
  fi
}

over_ssh() {
  [ "$mode" != foreground ] || fail 'an agent in the foreground keeps its terminal: use print or here'
  work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-batch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  if [ $# -eq 0 ]; then
    names >"$work/names"
    while IFS= read -r name; do set -- "$@" "$name"; done <"$work/names"
  fi
  for one in "$@"; do
    url_of "${one%%=*}" >/dev/null || no_such "${one%%=*}"
    case ${one#*=} in -* | '') fail "\"${one#*=}\" is no host" ;; esac
  done
  number=0
  for one in "$@"; do
    number=$((number + 1))
    over_one "$number" "$one" &
    [ $((number % at_once)) -ne 0 ] || wait
  done
  wait
  set -- "$work"/*.failed
  [ -e "$1" ] || { printf '%s\n' "holdfast: all $number nodes are online"; return 0; }
  fail "$# of $number nodes failed; what was not used stays good until #UNTIL#: run it again for those"
}

main "$@"
