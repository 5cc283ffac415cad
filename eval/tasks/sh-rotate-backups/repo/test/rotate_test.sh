#!/bin/sh
# Runs rotate.sh on made-up backups.
set -eu
script="$(cd "$(dirname "$0")/.." && pwd)/rotate.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failures=0

check() { # what, expected, found
  if [ "$2" = "$3" ]; then echo "ok: $1"; else echo "FAILED: $1: expected [$2], found [$3]"; failures=$((failures + 1)); fi
}
left() { (cd "$1" && ls -1 | tr '\n' '|'); }
fresh() { rm -rf "$work/b"; mkdir "$work/b"; }

fresh
touch "$work/b/backup-2026-01-01.tar" "$work/b/backup-2026-01-02.tar" "$work/b/backup-2026-01-03.tar"
sh "$script" "$work/b" 2
check "keeps the newest two" "backup-2026-01-02.tar|backup-2026-01-03.tar|" "$(left "$work/b")"

[ "$failures" -eq 0 ] || exit 1
echo "all ok"
