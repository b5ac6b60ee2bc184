#!/usr/bin/env bash
# Swift has to be there; libsqlite3-dev and zlib1g-dev are installed through apt when they are not.
set -euo pipefail
if ! command -v swift >/dev/null; then
    echo "Swift is missing: install Swift 6.2 or newer from https://www.swift.org/install/linux/ and try again." >&2
    exit 69
fi
missing=""
[ -f /usr/include/sqlite3.h ] || missing="libsqlite3-dev"
# The HTTP listener's decompression links libz.
[ -f /usr/include/zlib.h ] || missing="$missing zlib1g-dev"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo="sudo"; else
    echo "Only root can install what is missing: apt-get install $missing" >&2
    exit 69
fi
if ! command -v apt-get >/dev/null; then
    echo "The headers sqlite3.h and zlib.h are needed: install SQLite's and zlib's development files." >&2
    exit 69
fi
echo "Installing $missing"
$sudo apt-get update -qq || true
# shellcheck disable=SC2086
$sudo apt-get install -y -qq $missing
