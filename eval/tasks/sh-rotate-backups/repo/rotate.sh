#!/bin/sh
# rotate.sh DIR COUNT: keeps the newest COUNT backups of DIR.
cd "$1"
for file in $(ls -r | tail -n +$(($2 + 1))); do
  rm -rf $file
done
