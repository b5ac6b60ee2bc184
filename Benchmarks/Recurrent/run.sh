#!/usr/bin/env bash
# Runs the library and, where they are, its peers on one core in one run, and prints a table of medians and ratios.
#
#   PROTOTYPE=dir   a package whose `lstmbench quick` prints the same grid (left out if empty)
#   PEERS=file      a bench_peers.py that writes JSON for torch and ONNX Runtime (left out if empty)
#   PYTHON=python   an interpreter that has them
#   ROUNDS=5        ours and the prototype take turns this often
#   WIDEST=avx512   the prototype's kernels after whose number ours takes its turn
#   UNTIL=size      the last size the prototype and ours take turns with, such as in8_u256
#   CORE=1
set -euo pipefail
cd "$(dirname "$0")/.."
core=${CORE:-$(($(nproc) - 1))}
lines=$(mktemp)
trap 'rm -f "$lines" "$lines.json"' EXIT

swift build -c release --product recurrent-bench >&2
ours=$(swift build -c release --show-bin-path)/recurrent-bench
if [[ -n ${PROTOTYPE:-} ]]; then
    swift build -c release --package-path "$PROTOTYPE" --product lstmbench >&2
    prototype=$(swift build -c release --package-path "$PROTOTYPE" --show-bin-path)/lstmbench
fi
# Both measure a size in turn, seconds apart, so that a noisy neighbour of the machine meets both: the prototype
# stands still while ours measures what it has just reported with the widest kernels.
measure() { taskset -c "$core" "$ours" ${KERNELS:-} "$@" >>"$lines"; }
for ((round = 0; round < ${ROUNDS:-5}; round++)); do
    if [[ -z ${prototype:-} ]]; then
        measure
        continue
    fi
    coproc PEER { exec taskset -c "$core" stdbuf -oL "$prototype" quick; }
    peer=$PEER_PID
    while read -r section size kernels value _; do
        [[ $kernels == sse2 ]] || echo "$section $size prototype-$kernels $value" >>"$lines"
        [[ $kernels == "${WIDEST:-avx512}" ]] || continue
        kill -STOP "$peer" 2>/dev/null || true # after the last number it may have ended
        measure "$size"
        kill -CONT "$peer" 2>/dev/null || true
        if [[ $size == "${UNTIL:-}" ]]; then
            kill "$peer"
            break
        fi
    done <&"${PEER[0]}"
    wait "$peer" || [[ -n ${UNTIL:-} ]]
done
if [[ -n ${PEERS:-} ]]; then
    taskset -c "$core" "${PYTHON:-python3}" "$PEERS" --peers torch,onnx --json "$lines.json" >&2
    "${PYTHON:-python3}" - "$lines.json" >>"$lines" <<'PY'
import json, sys
for section, cases in json.load(open(sys.argv[1])).items():
    for case, peers in cases.items():
        for peer, value in peers.items():
            print(section, case, peer.replace(" ", "_"), value)
PY
fi

# Ratios are speeds: ours over theirs, above 1 where ours is faster.
awk '
    { key = $1 SUBSEP $2 SUBSEP $3; n[key]++; v[key, n[key]] = $4
      if (!(key in seen)) { seen[key] = 1; order[++count] = key } }
    function median(key,   i, j, t, a) {
        for (i = 1; i <= n[key]; i++) a[i] = v[key, i]
        for (i = 2; i <= n[key]; i++) for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
        return a[int((n[key] + 1) / 2)]
    }
    END {
        print "| what | size | who | median | ours is faster by |"
        print "|---|---|---|---:|---:|"
        for (i = 1; i <= count; i++) { split(order[i], p, SUBSEP); if (p[3] ~ /^ours-/ && !((p[1], p[2]) in base)) base[p[1], p[2]] = median(order[i]) }
        for (b = 1; b <= count; b++) {
            split(order[b], q, SUBSEP)
            if (q[3] !~ /^ours-/ || ((q[1], q[2]) in done)) continue
            done[q[1], q[2]] = 1
            for (i = 1; i <= count; i++) {
                split(order[i], p, SUBSEP)
                if (p[1] != q[1] || p[2] != q[2]) continue
                m = median(order[i]); r = p[1] == "step_ns" ? m / base[p[1], p[2]] : base[p[1], p[2]] / m
                printf "| %s | %s | %s | %.*f | %.2f |\n", p[1], p[2], p[3], p[1] == "step_ns" ? 1 : 0, m, r
            }
        }
    }' "$lines"
