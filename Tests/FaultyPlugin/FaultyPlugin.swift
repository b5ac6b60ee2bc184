import Forecasting
import Foundation
import Glibc
import PluginHost

/// A plugin that forecasts the last value, and at its so-many-th call does what its first argument says.
@main
enum FaultyPlugin {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let fault = Fault(rawValue: arguments[1]), let call = Int(arguments[2]) else {
            print("usage: FaultyPlugin FAULT CALL MARK")
            exit(64)
        }
        try await ForecasterService(FaultyMethod(fault: fault, call: call, mark: arguments[3]))
            .serve(connected: 3, version: "1")
    }
}

enum Fault: String {
    case none, trap, hang, allocate, flood, close, garbage, size, fork, stall
    /// Numbers that are no forecast, from that call on.
    case nan, infinity, huge
    /// Terminal codes on standard error.
    case codes

    /// - Parameter mark: stands in the command line of whatever it starts.
    func happen(_ batch: inout AdvanceBatch, mark: String) {
        switch self {
        case .none, .stall: break
        case .nan: Self.fill(&batch.forecasts) { _ in .nan }
        case .infinity: Self.fill(&batch.forecasts) { $0 % 2 == 0 ? .infinity : -.infinity }
        case .huge: Self.fill(&batch.forecasts) { $0 % 2 == 0 ? 3e38 : -3e38 }
        case .codes: Self.write(2, "\u{1B}]0;pwn\u{7} \u{9B}31m \u{202E}txt\u{2066} \u{2028}<0>forged\u{7F}\u{85}\n")
        case .trap: kill(getpid(), SIGILL)
        case .hang: Self.hang()
        case .allocate: Self.allocate()
        case .flood: Thread.detachNewThread { while true { Self.write(2, "flood, flood, flood\n") } }
        case .close: Glibc.close(3)
        case .garbage: Self.write(3, "this is no JSON\0")
        case .size: batch.states.append(0)
        case .fork: Self.fork(mark)
        }
    }

    var isLasting: Bool { [.nan, .infinity, .huge].contains(self) }

    private static func fill(_ forecasts: inout [Float], _ number: (Int) -> Float) {
        for place in forecasts.indices { forecasts[place] = number(place) }
    }

    static func hang() -> Never { while true { sleep(1_000) } }

    private static func allocate() {
        let size = 16 << 20
        // Kept, or the optimizer would see that nobody needs the blocks and ask for none.
        var blocks: [UnsafeMutableRawPointer] = []
        while let block = malloc(size) {
            memset(block, 1, size)
            blocks.append(block)
        }
        write(2, "\(blocks.count) blocks of 16 MiB were to be had\n")
        abort()
    }

    private static func write(_ descriptor: Int32, _ text: String) {
        _ = text.withCString { Glibc.write(descriptor, $0, text.utf8.count) }
    }

    /// Leaves two children behind, one of them in a session of its own.
    private static func fork(_ mark: String) {
        let script = "setsid sh -c 'sleep 99999; : \(mark)' & sh -c 'sleep 99999; : \(mark)' &"
        let words: [String] = ["/bin/sh", "-c", script]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var (child, status) = (pid_t(), Int32(0))
        if posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0 { waitpid(child, &status, 0) }
        exit(1)
    }
}

struct FaultyMethod: ForecastingMethod {
    let fault: Fault
    let call: Int
    let mark: String
    let manifest = Manifest(name: "faulty", version: "1", summary: "", parameters: [])

    private let loads = Loads()

    /// Counts them. `@unchecked Sendable`: the service takes one call after the other.
    private final class Loads: @unchecked Sendable { var count = 0 }

    init(fault: Fault, call: Int, mark: String) { (self.fault, self.call, self.mark) = (fault, call, mark) }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        loads.count += 1
        // The first model works, and no other is ever loaded.
        if fault == .stall, loads.count > 1 { Fault.hang() }
        _ = try manifest.resolve(specification.parameters)
        return FaultyModel(self, specification)
    }
}

/// `@unchecked Sendable`: the service takes one call after the other.
final class FaultyModel: ForecastModel, @unchecked Sendable {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let summary = "the last value"
    private let method: FaultyMethod
    private let width: Int
    private var calls = 0

    init(_ method: FaultyMethod, _ specification: ForecastSpecification) {
        (self.method, width) = (method, specification.forecastCount)
    }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count {
            if !batch.values[row].isNaN { batch.states[row] = batch.values[row] }
            if batch.wantsForecasts {
                for place in 0..<width { batch.forecasts[row * width + place] = batch.states[row] }
            }
        }
        calls += 1
        if calls == method.call || method.fault.isLasting && calls > method.call {
            method.fault.happen(&batch, mark: method.mark)
        }
    }
}
