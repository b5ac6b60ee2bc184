#!/usr/bin/env python3
"""What an operator notices: start and answer, forecasts a second, watchers, sealing, export, restart, bytes on disk.

    make build && Benchmarks/operations.py [PART...]      parts: start forecasts watchers sealing plugins export restart bytes xor

Needs Python's standard library alone, and `plugins` the program FaultyPlugin of the tests' build. The parts `bytes` and `xor` read the folder that OPEN_DATA names (CSV files of
series,timestamp,value, and nab/ as NAB ships it); `bytes` compares with InfluxDB where influxd is installed.
"""
import csv, datetime, glob, json, math, os, select, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile
import time, urllib.request
from concurrent.futures import ProcessPoolExecutor

PROGRAMS = os.environ.get("PROGRAMS", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.build/release"))
MINUTE = 60 * 10**9


class Client:
    """Varlink with the standard library: JSON and a NUL byte."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.rest = b""

    @staticmethod
    def encoded(method, more=False, **parameters):
        call = {"method": "org.nilometer.Control." + method, "parameters": parameters}
        return json.dumps(call | ({"more": True} if more else {})).encode() + b"\0"

    def raw(self, call):
        self.socket.sendall(call)
        return self.reply()

    def reply(self):
        while b"\0" not in self.rest:
            piece = self.socket.recv(1 << 20)
            assert piece, "the daemon closed the connection"
            self.rest += piece
        frame, _, self.rest = self.rest.partition(b"\0")
        return frame

    def call(self, method, **parameters):
        reply = json.loads(self.raw(self.encoded(method, **parameters)))
        assert "error" not in reply, reply
        return reply["parameters"]

    def stream(self, method, **parameters):
        self.socket.sendall(self.encoded(method, more=True, **parameters))
        while True:
            reply = json.loads(self.reply())
            assert "error" not in reply, reply
            yield reply["parameters"]
            if not reply.get("continues"):
                return


class Daemon:
    def __init__(self, configuration, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="nilo-bench-")
        self.socket = self.folder + "/s"
        with open(self.folder + "/nilod.toml", "w") as file:
            file.write(configuration)
        self.start()

    def start(self):
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.folder + "/notify"
        if os.path.exists(path):
            os.unlink(path)
        ready.bind(path)
        self.log = open(self.folder + "/log", "w")
        self.process = subprocess.Popen(
            [PROGRAMS + "/nilod", "--config", self.folder + "/nilod.toml", "--state-dir", self.folder + "/state",
             "--socket", self.socket], stderr=self.log, env=os.environ | {"NOTIFY_SOCKET": path})
        while b"READY=1" not in ready.recv(4096):
            pass
        ready.close()

    def client(self):
        return Client(self.socket)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder)


def ingest(client, lines, size=5000):
    for start in range(0, len(lines), size):
        reply = client.call("Ingest", text="".join(lines[start:start + size]))
        assert reply["refused"] == 0, reply["problems"][:3]


def lines(series, slots, start):
    return [f"room,id={one} t={20 + 5 * math.sin(slot / 30 + one) + slot * 7919 % 10 / 10:.1f} {start + slot * MINUTE}\n"
            for slot in slots for one in range(series)]


def now(slots_ago):
    return (int(time.time()) // 60 - slots_ago) * MINUTE


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


SMOOTH = """
[[series]]
select = "*"
cadence = "1m"

[[forecaster]]
name = "smooth"
method = "holt-winters"
horizon = 24
"""


def start():
    daemon = Daemon(SMOOTH)
    took = []
    for _ in range(100):
        begin = time.perf_counter()
        subprocess.run([PROGRAMS + "/niloctl", "--socket", daemon.socket, "status"], stdout=subprocess.DEVNULL, check=True)
        took.append(1e3 * (time.perf_counter() - begin))
    print(f"niloctl status, process start included: median {statistics.median(took):.1f} ms, p99 {percentile(took, .99):.1f} ms (at most 30)")
    daemon.remove()


def forecasts():
    daemon = Daemon(SMOOTH)
    client = daemon.client()
    ingest(client, lines(10, range(400), now(400)))
    for history in (0, None):
        asked = {"series": "room,id=3 t"} | ({} if history is None else {"history": history})
        call = client.encoded("GetForecast", **asked)
        size = len(client.raw(call))
        rates = []
        for _ in range(5):
            begin = time.perf_counter()
            for _ in range(5000):
                client.raw(call)
            rates.append(5000 / (time.perf_counter() - begin))
        label = "without history" if history == 0 else "with 120 points of history"
        print(f"GetForecast, 3 quantiles x 24 leads, {label} ({size} bytes): {statistics.median(rates):.0f} calls/s, one client (10000 wanted)")
    daemon.remove()


def paced(client, first, start, seconds=6, rate=1000, series=200):
    """One reading after the other, `rate` a second; how long each took, in ms."""
    took, begin = [], time.perf_counter()
    for number in range(seconds * rate):
        wait = begin + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        text = f"room,id={number % series} t={number % 7}.5 {start + (first + number // series) * MINUTE}\n"
        call = client.encoded("Ingest", text=text)
        sent = time.perf_counter()
        client.raw(call)
        took.append(1e3 * (time.perf_counter() - sent))
    return took


def watching(path, count, series):
    """A process that watches with `count` connections and throws away what comes."""
    pid = os.fork()
    if pid:
        return pid
    clients = [Client(path) for _ in range(count)]
    poll = select.epoll()
    for place, client in enumerate(clients):
        client.socket.sendall(client.encoded("Watch", more=True, selector=f"room,id={place % series} t"))
        poll.register(client.socket, select.EPOLLIN)
    found = {client.socket.fileno(): client.socket for client in clients}
    while True:
        for descriptor, _ in poll.poll():
            if not found[descriptor].recv(1 << 20):
                os._exit(0)


def watchers():
    daemon = Daemon(SMOOTH)
    client = daemon.client()
    begin = now(2000)
    ingest(client, lines(200, range(100), begin))
    results = {0: [], 200: []}
    for round in range(6):
        count = (0, 200)[round % 2]
        pid = watching(daemon.socket, count, 200) if count else None
        while client.call("GetStatus")["watchers"] != count:
            time.sleep(0.05)
        results[count].append(percentile(paced(client, 100 + 40 * round, begin), 0.99))
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    without, with_ = (statistics.median(results[count]) for count in (0, 200))
    print(f"ingest p99 at 1000 readings/s: {without:.2f} ms without watchers, {with_:.2f} ms with 200 of one series each: {with_ / without:.2f} x (at most 1.25)")
    daemon.remove()


def sealing():
    daemons = {"idle": Daemon(SMOOTH + "", None), "sealing": None}
    daemons["sealing"] = Daemon("seal_after = 2000\n" + SMOOTH)
    begin, results = now(3000), {"idle": [], "sealing": []}
    for daemon in daemons.values():
        ingest(daemon.client(), lines(500, range(200), begin))
    for round in range(3):
        for name, daemon in daemons.items():
            client, took, first = daemon.client(), [], 200 + 100 * round
            end = time.perf_counter() + 6
            while time.perf_counter() < end:
                number = len(took)
                text = f"room,id={number % 500} t={number % 7}.5 {begin + (first + number // 500) * MINUTE}\n"
                call = client.encoded("Ingest", text=text)
                sent = time.perf_counter()
                client.raw(call)
                took.append(1e3 * (time.perf_counter() - sent))
            results[name].append(percentile(took, 0.99))
            print(f"  {name}: {len(took)} calls, p99 {results[name][-1]:.2f} ms, journal {client.call('GetStatus')['journalReadings']}")
    idle, busy = statistics.median(results["idle"]), statistics.median(results["sealing"])
    print(f"p99 of an acknowledged reading: idle {idle:.2f} ms, sealing {busy:.2f} ms, allowed {max(1.25 * idle, idle + 5):.2f} ms")
    for daemon in daemons.values():
        daemon.remove()


FAULTS = ("trap", "hang", "allocate", "flood", "close", "garbage", "size", "fork")


def with_plugin(fault):
    """A daemon whose plugin fails at the 8th call of each of its lives and serves one series of two."""
    folder = tempfile.mkdtemp(prefix="nilo-bench-")
    os.makedirs(folder + "/plugins/faulty")
    with open(folder + "/plugins/faulty/plugin.toml", "w") as file:
        program = os.path.abspath(PROGRAMS + "/FaultyPlugin")
        file.write(f'contract = 1\nname = "faulty"\nversion = "1"\nmemory_mb = 256\n'
                   f'command = ["{program}", "{fault}", "8", "{folder}"]\n')
    plugin = f'\n[[forecaster]]\nname = "faulty"\nmethod = "faulty"\nseries = ["bad,*"]\nhorizon = 24\n'
    return Daemon(f'plugin_path = ["{folder}/plugins"]\n' + SMOOTH.replace("\n[[forecaster]]", plugin + "\n[[forecaster]]"), folder)


def answers(path, start, seconds=60, rate=100):
    """A reading of each series committed and the good one's forecast got, `rate` times a second; how long that took from
    when it was due, in ms: what waits behind a slow answer counts, too."""
    client, took, begin = Client(path), [], time.perf_counter()
    for number in range(seconds * rate):
        due = begin + number / rate
        time.sleep(max(0, due - time.perf_counter()))
        moment = start + number * MINUTE
        client.call("Ingest", text=f"bad,id=1 t={number % 7} {moment}\nroom,id=1 t={number % 5}.5 {moment}\n")
        client.call("GetForecast", series="room,id=1 t", history=0)
        took.append(1e3 * (time.perf_counter() - due))
    return took


def plugins():
    print("| the plugin | p99, ms | of one that works, meanwhile | allowed | failures | its absent steps |\n|---|---:|---:|---:|---:|---:|")
    for fault in FAULTS:
        daemons, begin = [with_plugin("none"), with_plugin(fault)], now(8000)
        for daemon in daemons:
            while daemon.client().call("ListPlugins")["plugins"][0]["state"] != "ready":
                time.sleep(0.05)
        with ProcessPoolExecutor(2) as pool:
            usual, troubled = (percentile(took, 0.99) for took in pool.map(answers, (one.socket for one in daemons), (begin, begin)))
        found = daemons[1].client().call("ListPlugins")["plugins"][0]
        print(f"| {fault} | {troubled:.1f} | {usual:.1f} | {max(1.25 * usual, usual + 5):.1f} | {found['restarts']} | {found['absent']} |")
        for daemon in daemons:
            daemon.remove()


def export():
    daemon = Daemon('seal_after = 1000\n[[series]]\nselect = "*"\ncadence = "1m"\n')
    client = daemon.client()
    begin = now(525_600)
    ingest(client, lines(1, range(525_600), begin), 20_000)
    wait_for_seal(client)
    day = datetime.datetime.fromtimestamp((begin + 524_160 * MINUTE) / 1e9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for what, asked in (("a year of minutes", {}), ("the last day", {"start": day})):
        took = []
        for _ in range(9):
            sent, count = time.perf_counter(), 0
            client.socket.sendall(client.encoded("Export", more=True, selector="*", **asked))
            while b'"continues":true' in (frame := client.reply()):
                count += frame.count(b"\\n")
            took.append(1e3 * (time.perf_counter() - sent))
        print(f"export of {what} over the control socket: {count - 1} readings, median {statistics.median(took):.1f} ms")
    daemon.remove()


def restart():
    quantiles = {"plain": [0.05, 0.5, 0.95], "d": [0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975]}
    names = {"plain": "the plain LSTM, 32 units, 1 lead x 3 quantiles", "d": "the whole recipe, 24 leads x 11 quantiles"}
    for recipe, horizon, units, limit in (("plain", 1, 32, 5), ("residual", 24, 0, 30)):
        daemon = Daemon(f"""
[[series]]
select = "*"
cadence = "1m"
lateness = "365d"

[[forecaster]]
name = "house"
horizon = {horizon}
quantiles = {quantiles[recipe]}
retrain = "never"
opponents = ["seasonal-naive"]
training_slots = 256

[forecaster.parameters.lstm]
recipe = "{recipe}"
units = {units}
steps = 20
""")
        ready, total, cpu = killed(daemon)
        print(f"restart after kill -9, 1,000,000 readings to replay through {names[recipe]}: ready after {ready:.2f} s, every state there after {total:.2f} s (at most {limit}), {cpu:.1f} s of CPU time")
        daemon.remove()


def killed(daemon):
    """Seconds until a daemon with a million readings since its last checkpoint is ready again, and has every state; and
    what CPU time that takes."""
    client, begin = daemon.client(), now(1000)
    ingest(client, lines(1000, range(300), begin), 20_000)
    last = None
    for last in client.stream("Retrain", forecaster="house"):
        pass
    client.call("Promote", forecaster="house", version=last["version"])
    ingest(client, lines(1000, range(300, 1000), begin), 20_000)
    def states(client):
        found = [client.call("GetState", series=f"room,id={one} t") for one in range(1000)]
        assert all(one["method"] == "lstm" for one in found)
        return [one["sha256"] for one in found]
    before = states(client)
    daemon.kill()
    sent = time.perf_counter()
    daemon.start()
    ready = time.perf_counter() - sent
    after = states(daemon.client())
    total = time.perf_counter() - sent
    assert after == before, "the states differ"
    with open(f"/proc/{daemon.process.pid}/stat") as stat:
        cpu = sum(int(field) for field in stat.read().rsplit(")")[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
    return ready, total, cpu


def wait_for_seal(client):
    while client.call("GetStatus")["journalReadings"] > 1000:
        time.sleep(0.1)


def data_sets():
    """Name, and series of (nanoseconds, text of the value)."""
    folder = os.environ.get("OPEN_DATA", "../shared/accuracy/data/open")
    def time_of(text):
        return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()) * 10**9
    for path in sorted(glob.glob(folder + "/*.csv")):
        series = {}
        for row in csv.DictReader(open(path)):
            if row["value"]:
                series.setdefault(row["series"], []).append((time_of(row["timestamp"]), row["value"]))
        yield os.path.basename(path)[:-4], series
    nab = {os.path.basename(path)[:-4]: [(time_of(row["timestamp"]), row["value"]) for row in csv.DictReader(open(path))]
           for path in sorted(glob.glob(folder + "/nab/*/*.csv"))}
    if nab:
        yield "nab", nab


def influx_bytes(text, folder):
    port = 20_000 + os.getpid() % 30_000
    with open(folder + "/influxdb.conf", "w") as file:
        file.write(f"""
reporting-disabled = true
bind-address = "127.0.0.1:{port + 1}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "1s"
  compact-full-write-cold-duration = "2s"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
""")
    log = open(folder + "/log", "w")
    influx = subprocess.Popen(["influxd", "run", "-config", folder + "/influxdb.conf"], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(urllib.request.Request(address + "/query?q=CREATE%20DATABASE%20b", method="POST"))
            break
        except OSError:
            time.sleep(0.1)
    for start in range(0, len(text), 5000):
        urllib.request.urlopen(urllib.request.Request(address + "/write?db=b", "".join(text[start:start + 5000]).encode()))
    def size(kind):
        total = 0
        for path in glob.glob(folder + f"/{kind}/b/**/*", recursive=True):
            try:
                total += os.path.getsize(path) if path.endswith((".tsm", ".wal")) else 0
            except FileNotFoundError:  # compacted away meanwhile
                pass
        return total
    # Until everything has left the log and two looks in a row find the same.
    last, same = -1, 0
    for _ in range(120):
        time.sleep(1)
        found = size("data") if size("wal") < 1000 else -1
        same = same + 1 if found == last and found > 0 else 0
        last = found
        if same >= 6:
            break
    influx.kill()
    influx.wait()
    return last


def bytes_():
    print("| data | series | readings | nilod chunks, bytes per reading | InfluxDB 1.6 tsm | ratio |\n|---|---:|---:|---:|---:|---:|")
    for name, series in data_sets():
        text = [f"open,name={key.replace(' ', '-')} v={value} {moment}\n" for key, rows in series.items() for moment, value in rows]
        daemon = Daemon("seal_after = 1\n")
        client = daemon.client()
        ingest(client, text, 20_000)
        while client.call("GetStatus")["journalReadings"] > 0:
            time.sleep(0.1)
        count = sum(1 for piece in client.stream("Export", selector="*") for _ in range(piece["data"].count("\n"))) - 1
        ours = client.call("Examine")["chunkBytes"] / count
        daemon.remove()
        theirs = None
        if shutil.which("influxd"):
            folder = tempfile.mkdtemp(prefix="nilo-bench-")
            theirs = influx_bytes(text, folder) / count
            shutil.rmtree(folder)
        print(f"| {name} | {len(series)} | {count} | {ours:.2f} | {theirs or float('nan'):.2f} | {ours / (theirs or float('nan')):.2f} |")


def form_of(values):
    """Which form of ValueCodec a chunk takes without XOR, and its bytes."""
    def scaled(value, digits):
        product = float(round(value * 10**digits)) if abs(value * 10**digits) < 2**52 else value * 10**digits
        return int(product) if abs(product) < 2**50 and product / 10.0**digits == value else None
    digits = 0
    for value in values:
        while digits < 16 and scaled(value, digits) is None:
            digits += 1
    whole = [scaled(value, digits) for value in values] if digits < 16 else [None]
    if None not in whole:
        def packed(numbers):
            return sum(1 + (len(block) * max(block).bit_length() + 7) // 8 for block in
                       (numbers[start:start + 64] for start in range(0, len(numbers), 64)) if block)
        steps = [2 * abs(b - a) for a, b in zip(whole, whole[1:])]
        return "decimal", 8 + min(packed([one - min(whole) for one in whole]), packed(steps))
    if all(struct.unpack("f", struct.pack("f", value))[0] == value for value in values):
        return "float32", 4 * len(values)
    return "float64", 8 * len(values)


def xor_bytes(values):
    """Pelkonen and others 2015 (Gorilla), section 4.1.3."""
    bits, leading, trailing = 64, 65, 0
    words = [struct.unpack("Q", struct.pack("d", value))[0] for value in values]
    for before, word in zip(words, words[1:]):
        mixed = before ^ word
        if mixed == 0:
            bits += 1
            continue
        head, tail = min(31, 64 - mixed.bit_length()), (mixed & -mixed).bit_length() - 1
        if head >= leading and tail >= trailing:
            bits += 2 + 64 - leading - trailing
        else:
            leading, trailing = head, tail
            bits += 2 + 5 + 6 + 64 - head - tail
    return (bits + 7) // 8


def xor():
    print("| data | form of our chunks | readings | bytes per value | with XOR | saved |\n|---|---|---:|---:|---:|---:|")
    for name, series in data_sets():
        totals = {}
        for rows in series.values():
            values = [float(value) for _, value in sorted(rows)]
            for start in range(0, len(values), 1024):
                chunk = values[start:start + 1024]
                form, size = form_of(chunk)
                total = totals.setdefault(form, [0, 0, 0])
                for place, more in enumerate((len(chunk), size, xor_bytes(chunk))):
                    total[place] += more
        for form, (count, size, other) in sorted(totals.items()):
            print(f"| {name} | {form} | {count} | {size / count:.2f} | {other / count:.2f} | {100 * (1 - other / size):.0f} % |")
        count, size, other = (sum(total[place] for total in totals.values()) for place in range(3))
        best = sum(min(total[1], total[2]) for total in totals.values())
        print(f"| {name} | all, the better of both | {count} | {size / count:.2f} | {best / count:.2f} | {100 * (1 - best / size):.0f} % |")


PARTS = {"start": start, "forecasts": forecasts, "watchers": watchers, "sealing": sealing, "plugins": plugins, "export": export,
         "restart": restart, "bytes": bytes_, "xor": xor}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
