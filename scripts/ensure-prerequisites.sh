#!/usr/bin/env bash
# Swift has to be there; libsqlite3-dev is installed through apt when it is not.
set -euo pipefail
if ! command -v swift >/dev/null; then
    echo "Swift is missing: install Swift 6.2 or newer from https://www.swift.org/install/linux/ and try again." >&2
    exit 69
fi
[ -f /usr/include/sqlite3.h ] && exit 0
if [ "$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo="sudo"; else
    echo "libsqlite3-dev is missing, and it can only be installed by root: apt-get install libsqlite3-dev" >&2
    exit 69
fi
if ! command -v apt-get >/dev/null; then
    echo "The header sqlite3.h is missing: install SQLite's development files with your package manager." >&2
    exit 69
fi
echo "Installing libsqlite3-dev"
$sudo apt-get update -qq || true
$sudo apt-get install -y -qq libsqlite3-dev
