import Forecasting

/// Every key of `nilod.toml`: the source of docs/configuration.md and of nilod.toml(5).
///
/// A test holds it against the keys that `SettingsReader` reads, and against its defaults.
struct ConfigurationReference: Encodable {
    struct Table: Encodable {
        /// As TOML writes it; empty for the top of the file.
        var name: String
        var text: String
        var keys: [Key]
    }

    struct Key: Encodable {
        var name: String
        var type: String
        /// What holds if the key is left out.
        var standard: String
        var text: String
        /// A value in TOML.
        var example: String

        init(_ name: String, _ type: String, _ standard: String, _ text: String, example: String) {
            (self.name, self.type, self.standard, self.text, self.example) = (name, type, standard, text, example)
        }
    }

    var tables: [Table] = [Self.top, Self.series, Self.forecaster] + Self.methods + [Self.source, Self.sink]

    private static let top = Table(
        name: "", text: "Keys at the top of the file, before the first table.",
        keys: [
            Key(
                "state_dir", "path", "`/var/lib/nilometer`; without root `~/.local/state/nilometer`",
                "The folder of the database. `--state-dir` and systemd's `STATE_DIRECTORY` come first.",
                example: "\"/srv/nilometer\""),
            Key(
                "socket", "path", "`/run/nilometer/nilod.sock`; without root below `XDG_RUNTIME_DIR`",
                "The control socket. `--socket` and `NILOMETER_SOCKET` come first.",
                example: "\"/run/nilometer/nilod.sock\""),
            Key(
                "group", "string", "none",
                "Members of this group may ingest, retrain, promote and forget, as root and the daemon's own user may. "
                    + "Whoever can open the socket may read.",
                example: "\"nilometer\""),
            Key(
                "time_zone", "string", "`UTC`",
                "The zone of calendar features and of `daily` training times. A change begins new epochs, warm.",
                example: "\"Europe/Berlin\""),
            Key(
                "log_level", "string", "`notice`", "`error`, `warning`, `notice`, `info` or `debug`.",
                example: "\"info\""),
            Key("hints", "boolean", "`false`", "Print at the start what a newcomer may try.", example: "true"),
            Key(
                "retention", "duration", "forever",
                "Readings are kept at least this long. Removal is announced in the log, needs a clock that has been right "
                    + "for ten minutes, and takes at most a share a day; `niloctl expire` removes at once what is due.",
                example: "\"400d\""),
            Key(
                "silent_series_ttl", "duration", "never",
                "A series from which nothing has arrived for this long is removed with its readings.",
                example: "\"90d\""
            ),
            Key(
                "max_series", "integer, 1 to 10,000,000", "100,000", "Readings of further series are refused.",
                example: "20000"),
            Key(
                "commit_delay", "duration", "`2s`",
                "How long a reading that nobody waits for may wait to be committed with others. Longer wears flash less.",
                example: "\"30s\""),
            Key(
                "seal_after", "integer, 1 to 100,000,000", "1,000,000",
                "The journal is moved into compressed chunks when it holds this many readings.", example: "200000"),
            Key(
                "max_unfinished_mib", "integer, 32 to 65,536", "64",
                "What messages, lines and requests that have not ended may hold in memory together, in MiB. Beyond it the "
                    + "largest of the sender that holds most is closed.",
                example: "128"),
            Key(
                "shards", "integer, 1 to 64", "one for each core, at most 4", "Threads that step series.", example: "2"),
            Key(
                "plugin_path", "list of paths", "none",
                "Folders of plugins, besides `/usr/local/lib/nilometer/plugins` and `/usr/lib/nilometer/plugins`.",
                example: "[\"/opt/nilometer/plugins\"]"),
        ])

    private static let series = Table(
        name: "[[series]]",
        text: "What is declared about the series that a selector matches; the first table that matches counts.",
        keys: [
            Key(
                "select", "selector", "required", "The series: a name, in which `*` stands for anything.",
                example: "\"room,*\""),
            Key(
                "cadence", "duration", "inferred from the first 17 readings",
                "The length of a slot. A cadence that differs from the current one begins a new epoch, warm.",
                example: "\"1m\""),
            Key(
                "aggregate", "string", "`mean`",
                "How the readings of a slot become its value: `mean`, `last`, `max`, `min` or `sum`. A change begins a new "
                    + "epoch, warm.",
                example: "\"sum\""),
            Key(
                "lateness", "duration", "an hour or 64 slots, whichever is longer",
                "How late a reading may be and still change the state. A later one is stored and counts in training.",
                example: "\"2h\""),
            Key(
                "retention", "duration", "that of the top of the file", "Readings are kept at least this long.",
                example: "\"30d\""),
        ])

    private static let forecaster = Table(
        name: "[[forecaster]]", text: "What forecasts which series; the first forecaster that selects a series has it.",
        keys: [
            Key(
                "name", "name", "required",
                "1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or a digit.", example: "\"house\""),
            Key(
                "method", "string", "`lstm`", "`lstm`, `linear`, `holt-winters`, `seasonal-naive`, `mix`, or a plugin.",
                example: "\"lstm\""),
            Key("series", "list of selectors", "`[\"*\"]`", "The series.", example: "[\"room,*\", \"boiler t\"]"),
            Key("horizon", "integer, 1 to 2,000", "24", "Slots to forecast.", example: "60"),
            Key(
                "quantiles", "list of numbers", "`[0.05, 0.5, 0.95]`", "Ascending, between 0 and 1.",
                example: "[0.1, 0.5, 0.9]"),
            Key(
                "opponents", "list of strings", "`[\"holt-winters\", \"seasonal-naive\"]`",
                "Methods without training. The first serves until the first promotion; all compete on the holdout.",
                example: "[\"seasonal-naive\"]"),
            Key(
                "retrain", "string", "`never`",
                "`never`, `every 6h` or `daily 03:00`. A daily time comes once every local day, however its clock changes.",
                example: "\"daily 03:00\""),
            Key(
                "training_slots", "integer, 64 to 1,000,000", "4,096", "The newest slots that a training run uses.",
                example: "8192"),
            Key(
                "holdout", "number, 0.01 to 0.9", "0.2",
                "The fraction of these slots that is held out to compare models.",
                example: "0.15"),
            Key(
                "margin", "number, 0 to 1", "0.01",
                "The relative improvement over the serving model that a new one needs on the holdout.", example: "0.02"),
            Key(
                "train_from", "string", "`fresh`",
                "`fresh`, or `champion` to go on from the serving weights where the method can (`lstm`) and its parameters "
                    + "are the same.",
                example: "\"champion\""),
            Key(
                "keep_versions", "integer, 1 to 1,000", "4",
                "How many of the newest versions keep their weights, besides those that serve and rollback targets.",
                example: "8"),
            Key(
                "warm_up", "integer, 0 to 100,000", "512",
                "Slots that are replayed under a new version before it serves.",
                example: "1024"),
            Key(
                "max_gap", "integer, 0 to 100,000", "512",
                "Consecutive missing slots that a model is stepped through; the rest of a gap is skipped. A change begins "
                    + "new epochs, warm.",
                example: "96"),
            Key(
                "drift", "number, 1.01 to 100", "off",
                "Train when the median series' recent loss exceeds its long-term loss by this factor.", example: "1.5"),
            Key(
                "drift_cooldown", "duration", "`6h`",
                "The minimum time between a training run and one that drift starts.",
                example: "\"12h\""),
            Key(
                "anomaly", "number, 1e-9 to 0.5", "off",
                "A closed slot is an anomaly if its value, or one further out, was less probable than this under the "
                    + "forecast made before it. 1e-6 is a beginning.",
                example: "1e-6"),
            Key(
                "anomaly_cooldown", "duration", "`1h`",
                "After an anomaly, how long only a slot a hundred times less probable is reported.", example: "\"6h\""),
            Key(
                "parameters", "table of tables", "the methods' defaults",
                "Parameters by method: `[forecaster.parameters.lstm]`. The tables below list them.",
                example: "{ lstm = { units = 16 } }"),
        ])

    private static var methods: [Table] {
        Methods.all.map(\.manifest).filter { !$0.parameters.isEmpty }.map { manifest in
            Table(
                name: "[forecaster.parameters.\(manifest.name)]", text: manifest.summary + ".",
                keys: manifest.parameters.map { Key($0) })
        }
    }

    private static let source = Table(
        name: "[[source]]", text: "What brings readings in. Which keys there are depends on `kind`.",
        keys: [
            Key(
                "kind", "string", "required",
                "`host` (this machine's own sensors), `unix`, `unix-datagram`, `tcp`, `udp` (line protocol), `http` "
                    + "(`/write`, `/api/v2/write`, `/metrics`, `/health`) or `exec` (a program that prints line protocol).",
                example: "\"host\""),
            Key("every", "duration", "`10s`", "`host`: the time between two readings.", example: "\"30s\""),
            Key(
                "path", "path", "required",
                "`unix`, `unix-datagram`: the socket. `http`: a Unix socket in place of `listen`. Under systemd in "
                    + "`/run/nilod`.",
                example: "\"/run/nilod/lines.sock\""),
            Key(
                "listen", "string", "required; for `http` unless there is a `path`",
                "`tcp`, `udp`, `http`: a port, which this machine alone reaches, or host:port.",
                example: "\"0.0.0.0:8089\""),
            Key(
                "precision", "string", "`ns`",
                "`unix`, `unix-datagram`, `tcp`, `udp`, `exec`: the unit of timestamps: `ns`, `us`, `ms` or `s`.",
                example: "\"ms\""),
            Key(
                "command", "list of strings", "required",
                "`exec`: the program and its arguments. It is started again whenever it ends.",
                example: "[\"mosquitto_sub\", \"-t\", \"readings/#\"]"),
        ])

    private static let sink = Table(
        name: "[[sink]]", text: "Where forecasts, anomalies and model events go, as one line of JSON each.",
        keys: [
            Key("kind", "string", "required", "`exec` or `file`.", example: "\"exec\""),
            Key(
                "command", "list of strings", "required",
                "`exec`: the program and its arguments; it reads its standard input.",
                example: "[\"/usr/local/lib/nilometer/webhook.sh\", \"https://example.org\"]"),
            Key(
                "path", "path", "required", "`file`: the file; lines are appended.",
                example: "\"/var/lib/nilometer/out.jsonl\""),
            Key("name", "name", "the program or the file", "For status and the log.", example: "\"alarms\""),
            Key("series", "selector", "`*`", "The series whose events it gets.", example: "\"room,*\""),
            Key(
                "events", "list of strings", "all", "Some of `forecast`, `anomaly` and `model`.",
                example: "[\"anomaly\", \"model\"]"),
        ])
}

extension ConfigurationReference.Key {
    /// A parameter of a method.
    fileprivate init(_ parameter: ParameterDescription) {
        let example = parameter.defaultValue.toml
        let kind =
            switch parameter.defaultValue {
            case .boolean: "boolean"
            case .integer: "integer"
            case .number: "number"
            case .string: "string"
            case .list: "list"
            }
        let limits =
            parameter.range.map { ", \(Self.short($0.lowerBound)) to \(Self.short($0.upperBound))" }
            ?? (parameter.choices.isEmpty ? "" : ": " + parameter.choices.map { "`\($0)`" }.joined(separator: ", "))
        self.init(parameter.name, kind + limits, "`\(example)`", parameter.summary, example: example)
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() && number.magnitude <= 1e15 ? String(Int64(number)) : "\(number)"
    }
}

extension ParameterValue {
    fileprivate var toml: String {
        switch self {
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .list(let values): "[" + values.map(\.toml).joined(separator: ", ") + "]"
        }
    }
}
