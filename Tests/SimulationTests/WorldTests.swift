import Foundation
import TestSupport
import Testing

/// A few simulated worlds; `make simulate` runs many.
///
/// In processes of their own: the simulator takes over the threads of all tasks of its process.
@Suite struct WorldTests {
    /// Seeds whose worlds once broke a promise, or break one with a planted bug: docs/guides/simulation.md.
    static let regressions: [UInt64] = [1, 2, 3, 8, 41, 71, 84, 119, 196, 205, 500, 10094, 30020, 50120, 50181]

    private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let (code, output) = try ChildProcess.run("nilosim", arguments)
        return (code, output)
    }

    @Test("worlds that once broke a promise keep it", arguments: regressions)
    func regression(seed: UInt64) throws {
        let (status, output) = try Self.run(["\(seed)"])
        #expect(status == 0, "\(output)")
    }

    @Test("a real daemon holds against the same oracle, with kill -9") func realDaemon() throws {
        let (status, output) = try Self.run(["real", "4", "--count", "5", "--nilod", ChildProcess.path(of: "nilod")])
        #expect(status == 0, "\(output)")
        #expect(output.contains("kills"))
    }

    @Test("a seed gives the same world in every process") func sameHash() throws {
        let first = try Self.run(["42", "--operations", "400"])
        let second = try Self.run(["42", "--operations", "400"])
        #expect(first.status == 0)
        #expect(first.output.split(separator: "\n").first == second.output.split(separator: "\n").first)
    }

    @Test("a seed gives the same world on every set of kernels with fused multiplication")
    func kernels() throws {
        let first = try Self.run(["44", "--operations", "400"]).output.split(separator: "\n").first
        for kernels in ["avx512", "avx2", "neon"] {
            let child = try ChildProcess(
                "nilosim", ["44", "--operations", "400"], environment: ["NILOMETER_KERNELS": kernels])
            #expect(child.wait() == 0)
            #expect(child.standardOutput.split(separator: "\n").first == first)
        }
    }

    @Test("a world is the same whether its trace is read or not") func traced() throws {
        let plain = try Self.run(["43", "--operations", "300"])
        let traced = try Self.run(["43", "--operations", "300", "--trace"])
        let line = try #require(plain.output.split(separator: "\n").first)
        #expect(traced.output.contains(line))
    }
}
