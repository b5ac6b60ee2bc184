#!/bin/sh
# Runs STREAM-1 through `nilod backtest` and scores it beside the peers.
#
#     ACCURACY=DIR PYTHON=VENV/bin/python Benchmarks/accuracy/run.sh [SPLIT]
#
# ACCURACY holds protocol.json, score.py, data/SPLIT and refs; PYTHON has numpy, pandas and pyarrow. NILOD and CONFIG
# stand for the program and the configuration, OUT for the folder of the forecasts.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
split=${1:-open}
nilod=${NILOD:-$here/../../.build/release/nilod}
config=${CONFIG:-$here/stream-1.toml}
out=${OUT:-$(mktemp -d)}
mkdir -p "$out"
"$PYTHON" - "$ACCURACY/protocol.json" "$split" > "$out/datasets" <<'PY'
import json, sys
for name, d in json.load(open(sys.argv[1]))["datasets"][sys.argv[2]].items():
    print(name, d["file"], d["H"], d["m"], d["warm"], d["end"], d["stride"])
PY
rm -f "$out"/*.csv "$out"/*.table
while read -r name file horizon season warm end stride; do
    echo "== $name"
    "$nilod" backtest --config "$config" --forecaster mix --data "$ACCURACY/data/$split/$file" --series "$name" \
        --warm "$warm" --end "$end" --stride "$stride" --horizon "$horizon" --season "$season" \
        --out "$out/$name.csv" | tee "$out/$name.table"
done < "$out/datasets"
echo "== what the recurrence gains: sQL of lstm over that of memoryless, the same network without carried state"
for file in "$out"/*.table; do
    awk -v name="$(basename "$file" .table)" '
        $1 == "SERIES" { for (i = 1; i <= NF; i++) place[$i] = i; next }
        $1 == "ALL" || !place["memoryless"] { exit }
        { gain = $place["lstm"] / $place["memoryless"]; sum += log(gain); count++; better += gain < 1
          printf "%-12s %-14s %.3f\n", name, $1, gain }
        END { if (count) printf "%-12s %-14s %.3f, better on %d of %d\n", name, "ALL", exp(sum / count), better, count }
    ' "$file"
done
first=1
for file in "$out"/*.csv; do
    if [ $first = 1 ]; then cat "$file"; else tail -n +2 "$file"; fi
    first=0
done > "$out/forecasts"
mv "$out/forecasts" "$out/all.forecasts.csv"
score() { "$PYTHON" "$ACCURACY/score.py" --data "$ACCURACY/data" --split "$split" --fc "$1" --ref "$ACCURACY/refs/snaive.parquet"; }
echo "== this"
score "$out/all.forecasts.csv"
for peer in ridge lgbm; do
    [ -f "$ACCURACY/refs/$peer.parquet" ] || continue
    echo "== $peer"
    score "$ACCURACY/refs/$peer.parquet"
done
