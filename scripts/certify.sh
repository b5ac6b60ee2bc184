#!/usr/bin/env bash
# Runs the certification of Varlink's Python library against ours, from both sides: its client against our service, and
# our client against its service. Exits with 77 and a reason where Python is missing.
#
#   scripts/certify.sh PEER     PEER is the built executable CertificationPeer
set -euo pipefail
peer=$1
version=31.0.0
venv=$(cd "$(dirname "$0")/.." && pwd)/.build/certify-$version

skip() {
    echo "skipped: $1"
    exit 77
}
command -v python3 >/dev/null || skip "python3 is missing"
if ! [ -e "$venv/done" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 has no venv (Debian: apt-get install python3-venv)"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "varlink==$version" || skip "pip cannot install varlink"
    touch "$venv/done"
fi
certification=("$venv/bin/python" -u -m varlink.tests.test_certification)

folder=$(mktemp -d)
# SIGKILL, because the caller may have blocked SIGTERM for everyone it starts.
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

# Waits until somebody listens on a socket.
await() {
    for _ in $(seq 100); do
        [ -S "$1" ] && return
        sleep 0.1
    done
    echo "nobody listens on $1" >&2
    exit 1
}

passed() {
    if ! grep -q "Certification passed" "$1"; then
        echo "failed: $2" >&2
        cat "$1" >&2
        exit 1
    fi
    echo "passed: $2"
}

"$peer" serve "$folder/ours" >"$folder/service.log" 2>&1 &
await "$folder/ours"
"${certification[@]}" --client --varlink="unix:$folder/ours" >"$folder/client.log" 2>&1 || true
passed "$folder/client.log" "varlink $version as client of our service"

"${certification[@]}" --varlink="unix:$folder/theirs" >"$folder/theirs.log" 2>&1 &
await "$folder/theirs"
"$peer" call "$folder/theirs" >"$folder/caller.log" 2>&1 || true
passed "$folder/caller.log" "our client of varlink $version as service"
