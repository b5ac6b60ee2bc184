#!/usr/bin/env python3
"""Durable ingest of two versions of the daemon in turns.

    Benchmarks/versions.py OLD NEW      programs; SERIES, LINES, REQUESTS and PAIRS from the environment

Needs Python's standard library alone. One sender waits for each acknowledgement; series have a cadence of a second, three
quantiles and six leads. Pairs swap their order. Prints each pair, the ratio of medians and that of the means of the five
best runs, which loud neighbours disturb least.
"""
import json, os, shutil, socket, statistics, subprocess, sys, tempfile, time

CONFIGURATION = """
[[series]]
select = "*"
cadence = "1s"
[[forecaster]]
name = "house"
method = "lstm"
series = ["*"]
horizon = 6
quantiles = [0.05, 0.5, 0.95]
retrain = "never"
opponents = ["holt-winters", "seasonal-naive"]
"""
SERIES, LINES, REQUESTS, PAIRS = (
    int(os.environ.get(name, usual))
    for name, usual in [("SERIES", "1000"), ("LINES", "5000"), ("REQUESTS", "240"), ("PAIRS", "10")]
)
WARM = 20


def request(number, start):
    slots = LINES // SERIES
    lines = []
    for slot in range(number * slots, (number + 1) * slots):
        stamp = (start + slot) * 10**9
        lines += [f"room,id={i} t={20 + (slot * 7919 + i * 31) % 97 / 10:.1f} {stamp}" for i in range(SERIES)]
    call = {"method": "org.nilometer.Control.Ingest", "parameters": {"text": "\n".join(lines)}}
    return json.dumps(call).encode() + b"\0"


def run(program, requests):
    """Readings a second, and the daemon's microseconds of a core a reading."""
    folder = tempfile.mkdtemp()
    try:
        with open(folder + "/nilometer.toml", "w") as file:
            file.write(CONFIGURATION)
        os.sync()
        control = folder + "/control"
        daemon = subprocess.Popen(
            [program, "run", "--config", folder + "/nilometer.toml", "--state-dir", folder + "/state", "--socket", control],
            stderr=subprocess.DEVNULL)
        client = socket.socket(socket.AF_UNIX)
        while client.connect_ex(control):
            time.sleep(0.05)

        def send(call):
            client.sendall(call)
            reply = b""
            while not reply.endswith(b"\0"):
                reply += client.recv(1 << 16)
            assert b'"refused":0' in reply, reply[:300]

        for call in requests[:WARM]:
            send(call)
        begin = time.monotonic()
        for call in requests[WARM:]:
            send(call)
        seconds = time.monotonic() - begin
        times = open(f"/proc/{daemon.pid}/stat").read().rpartition(")")[2].split()
        processor = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        daemon.kill()
        daemon.wait()
        return (REQUESTS - WARM) * LINES / seconds, processor / (REQUESTS * LINES) * 1e6
    finally:
        shutil.rmtree(folder)


def main():
    old, new = programs = sys.argv[1:3]
    start = int(time.time()) - REQUESTS * (LINES // SERIES)
    requests = [request(number, start) for number in range(REQUESTS)]
    runs = {program: [] for program in programs}
    for pair in range(PAIRS):
        for program in programs if pair % 2 == 0 else reversed(programs):
            runs[program].append(run(program, requests))
        (before, cost), (now, cost_now) = runs[old][-1], runs[new][-1]
        print(f"{before / 1e3:.0f} k/s {cost:.2f} µs, {now / 1e3:.0f} k/s {cost_now:.2f} µs: {now / before:.3f}", flush=True)
    median = lambda program: statistics.median(rate for rate, _ in runs[program])
    best = lambda program: statistics.mean(sorted((rate for rate, _ in runs[program]), reverse=True)[:5])
    print(f"{SERIES} series, {LINES} lines a request, {PAIRS} pairs: {median(old) / 1e3:.0f} and {median(new) / 1e3:.0f} k/s,"
          f" {median(new) / median(old):.3f}; of the five best {best(new) / best(old):.3f}")


if __name__ == "__main__":
    main()
