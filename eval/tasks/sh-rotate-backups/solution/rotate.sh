#!/bin/sh
# rotate.sh DIR COUNT: keeps the newest COUNT backups (backup-*.tar) of DIR, in the order of their names.
set -eu

case "${2-}" in
  "" | *[!0-9]*) echo "rotate.sh: COUNT must be a whole number" >&2; exit 2 ;;
esac
[ -d "${1-}" ] || { echo "rotate.sh: there is no folder ${1-}" >&2; exit 2; }
cd "$1"

# Patterns expand in the order of names, the oldest first.
set -- "$2" backup-*.tar
keep="$1"
shift
[ -e "$1" ] || exit 0
while [ "$#" -gt "$keep" ]; do
  rm -f -- "$1"
  shift
done
