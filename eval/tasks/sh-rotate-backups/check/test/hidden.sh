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

fresh
touch "$work/b/backup-1.tar" "$work/b/backup-2.tar" "$work/b/zz-notes.txt" "$work/b/backup-9.tar.part"
mkdir "$work/b/backup-0-old"
sh "$script" "$work/b" 1
check "other files stay" "backup-0-old|backup-2.tar|backup-9.tar.part|zz-notes.txt|" "$(left "$work/b")"

fresh
touch "$work/b/backup-1 first day.tar" "$work/b/backup-2 *.tar" "$work/b/backup-3.tar"
sh "$script" "$work/b" 1
check "blanks" "backup-3.tar|" "$(left "$work/b")"

for count in x "" -1 1.5; do
  fresh
  touch "$work/b/backup-1.tar" "$work/b/backup-2.tar"
  code=0
  sh "$script" "$work/b" "$count" 2>/dev/null || code=$?
  check "count '$count'" "2 backup-1.tar|backup-2.tar|" "$code $(left "$work/b")"
done

fresh
cd "$work/b"
touch "backup-1.tar" "backup-2.tar"
code=0
sh "$script" "$work/nowhere" 0 2>/dev/null || code=$?
check "no folder" "2 backup-1.tar|backup-2.tar|" "$code $(left "$work/b")"
cd /

fresh
code=0
sh "$script" "$work/b" 3 || code=$?
check "nothing there" "0 " "$code $(left "$work/b")"
touch "$work/b/backup-1.tar"
sh "$script" "$work/b" 0
check "none wanted" "" "$(left "$work/b")"

[ "$failures" -eq 0 ] || exit 1
echo "all ok"
