import Glibc
import Varlink

/// Measures round trips over a Unix socket: the service is a process of its own, the client is this one.
///
///     VarlinkBenchmark                        against the service in ForecastService.swift
///     VarlinkBenchmark SOCKET SERIES          GetForecast of a running nilod
@main
enum VarlinkBenchmark {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "serve", let path = arguments.last { return try await ForecastService.run(path) }
        if let path = arguments.first, let series = arguments.last, arguments.count == 2 {
            try measure("nilod GetForecast", VarlinkClient(path: path)) { client in
                _ = try client.call(
                    "org.nilometer.Control.GetForecast", ForecastService.Question(series: series),
                    as: ForecastService.Reply.self)
            }
            return
        }
        let path = "/tmp/varlink-benchmark-\(getpid())"
        let service = try start(path)
        defer {
            kill(service, SIGKILL)
            unlink(path)
        }
        let client = try connect(path)
        try measure("round trip of a short call", client) { client in
            _ = try client.call(
                "org.example.Forecast.Ping", ForecastService.Text(text: "ping"), as: ForecastService.Text.self)
        }
        try measure("GetForecast, 3 quantiles × 24 leads", client) { client in
            _ = try client.call(
                "org.example.Forecast.GetForecast", ForecastService.Question(series: "room,id=1 t"),
                as: ForecastService.Reply.self)
        }
    }

    /// Seven rounds of 20,000 calls, the first of which does not count; the median of the other six's quantiles.
    private static func measure(
        _ name: String, _ client: VarlinkClient, _ call: (VarlinkClient) throws -> Void
    ) throws {
        var (p50, p99, rates): ([Double], [Double], [Double]) = ([], [], [])
        for round in 0..<7 {
            var times: [Double] = []
            let start = now()
            for _ in 0..<20_000 {
                let before = now()
                try call(client)
                times.append(now() - before)
            }
            let rate = 20_000 / (now() - start)
            times.sort()
            if round == 0 { continue }
            p50.append(times[10_000] * 1e6)
            p99.append(times[19_800] * 1e6)
            rates.append(rate)
        }
        print("\(name): p50 \(text(p50)) µs, p99 \(text(p99)) µs, \(text(rates)) calls/s")
    }

    /// The median, without a fraction.
    private static func text(_ values: [Double]) -> String { "\(Int(values.sorted()[values.count / 2].rounded()))" }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func start(_ path: String) throws -> pid_t {
        var pid: pid_t = 0
        let arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup("VarlinkBenchmark"), strdup("serve"), strdup(path), nil,
        ]
        let result = posix_spawn(&pid, "/proc/self/exe", nil, nil, arguments, nil)
        guard result == 0 else { throw ConnectionError.notReachable(path: path, reason: "posix_spawn \(result)") }
        return pid
    }

    private static func connect(_ path: String) throws -> VarlinkClient {
        for _ in 0..<500 {
            if let client = try? VarlinkClient(path: path) { return client }
            usleep(10_000)
        }
        return try VarlinkClient(path: path)
    }
}
