#!/bin/sh
# Builds the DocC pages of the libraries and fails on a warning: docc.sh FOLDER
set -eu
mkdir -p "$1"
for library in Recurrent Varlink LineProtocol; do
    swift package --allow-writing-to-directory "$1" generate-documentation --target "$library" \
        --output-path "$1/$library" --warnings-as-errors --transform-for-static-hosting --hosting-base-path "$library"
done
