#!/usr/bin/env bash
# Runs simulated worlds on all cores: SEEDS of them from seed FIRST on, or new ones for HOURS. What fails is kept in
# .build/simulated/failures; docs/guides/simulation.md says what to do with it.
set -euo pipefail
cd "$(dirname "$0")/.."
nilosim=.build/release/nilosim
folder=.build/simulated
cores=$(nproc)
# Each commit gets worlds of its own, and the same ones each time.
commit=$(git rev-parse HEAD 2>/dev/null | cut -c1-8 || true)
first=${FIRST:-$((16#${commit:-1}))}
mkdir -p "$folder"
rm -f "$folder"/*.log
pids=()
for ((core = 0; core < cores; core++)); do
    if [ -n "${HOURS:-}" ]; then
        amount=(--minutes "$(awk "BEGIN { print 60 * $HOURS }")")
        seed=$((first + core * 100000000))
    else
        share=$(((${SEEDS:-300} + cores - 1) / cores))
        amount=(--count "$share")
        seed=$((first + core * share))
    fi
    "$nilosim" "$seed" "${amount[@]}" >"$folder/$core.log" &
    pids+=($!)
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
cat "$folder"/*.log
grep -h FAILED "$folder"/*.log >>"$folder/failures" || true
exit $status
