#!/bin/sh
# Writes nilod(1), niloctl(1) and nilod.toml(5): man.sh FOLDER_OF_THE_PROGRAMS FOLDER_TO_WRITE
set -eu
programs=$1 pages=$2
mkdir -p "$pages"
for name in nilod niloctl; do
    "$programs/$name" --experimental-dump-help | "$programs/ManualPages" "$name" 1 >"$pages/$name.1"
done
"$programs/nilod" reference | "$programs/ManualPages" nilod.toml 5 >"$pages/nilod.toml.5"
