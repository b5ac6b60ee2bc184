"""Runs NAB's files through `nilod backtest --surprises` and scores them by NAB's rules.

    python nab.py ACCURACY [SPLIT] [FORECASTER]      # ACCURACY holds nab_score.py and data/SPLIT/nab
"""
import csv, json, os, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
accuracy, split = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "open"
forecaster = sys.argv[3] if len(sys.argv) > 3 else "nab"
nilod = os.environ.get("NILOD", os.path.join(here, "../../.build/release/nilod"))
config = os.environ.get("CONFIG", os.path.join(here, "nab.toml"))
data = os.path.join(accuracy, "data", split, "nab")
out = os.environ.get("OUT") or tempfile.mkdtemp()

for name in json.load(open(os.path.join(data, "windows.json"))):
    rows = list(csv.DictReader(open(os.path.join(data, name))))
    scores = [0.0] * len(rows)
    # The engine wants times that ascend; a row that repeats one has no surprise of its own.
    kept = [i for i, row in enumerate(rows) if i == 0 or row["timestamp"] > rows[i - 1]["timestamp"]]
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in.csv"), os.path.join(folder, "surprises.csv")
        with open(source, "w") as file:
            file.write("timestamp,value\n" + "".join(f"{rows[i]['timestamp']},{rows[i]['value']}\n" for i in kept))
        warm = min(int(0.15 * len(rows)), 750)
        subprocess.run(
            [nilod, "backtest", "--config", config, "--forecaster", forecaster, "--data", source, "--warm", str(warm),
             "--horizon", "1", "--season", "1", "--surprises", target],
            check=True, stdout=subprocess.DEVNULL)
        for row in csv.DictReader(open(target)):
            scores[kept[int(row["row"])]] = float(row["surprise"]) / 20
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("anomaly_score\n" + "".join(f"{score:.6f}\n" for score in scores))
subprocess.run([sys.executable, os.path.join(accuracy, "nab_score.py"), "--results", out, "--split", split], check=True)
