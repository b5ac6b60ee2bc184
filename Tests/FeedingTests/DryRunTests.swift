import Foundation
import TestSupport
import Testing

@Suite("niloctl ingest --dry-run")
struct DryRunTests {
    /// - Returns: standard output, standard error and the exit code.
    private func dryRun(_ text: [UInt8], _ options: [String] = []) throws -> (out: String, err: String, code: Int32) {
        let folder = try TemporaryFolder()
        try Data(text).write(to: folder.url.appending(path: "in"))
        let child = try ChildProcess("niloctl", ["ingest", "--dry-run"] + options + ["-"], input: folder.path("in"))
        let code = child.wait()
        return (child.standardOutput, child.standardError, code)
    }

    @Test("each point is a line of JSON, each refused line a place and a reason, and the exit code tells")
    func output() throws {
        let text = "room,z=1,a=\u{e9} t=21.50,n=3i,u=4u,on=T,s=\"a \\\"b\\\"\n\" 5\nroom f=\nroom f=-0\n"
        let result = try dryRun(Array(text.utf8), ["--precision", "ms", "--now", "-1"])
        #expect(
            result.out == """
                {"measurement":"room","tags":{"z":"1","a":"\u{e9}"},"fields":{"t":{"float":21.5},"n":{"int":3},\
                "u":{"uint":4},"on":{"bool":true},"s":{"string":"a \\"b\\"\\n"}},"timestamp":5000000}
                {"measurement":"room","tags":{},"fields":{"f":{"float":-0.0}},"timestamp":-1000000}

                """)
        #expect(result.err == "3:8: expected a field value: 1.5, 3i, 3u, true or \"text\", not the end of the line\n")
        #expect(result.code == 65)
        #expect(try dryRun(Array("m f=1".utf8)).code == 0)
        #expect(try dryRun([], ["--precision", "h"]).code == 64)
    }

    @Test("a text longer than a piece keeps its lines and its numbers")
    func long() throws {
        let lines = 60_000
        let text = String(repeating: "m,t=a f=0.1,s=\"1\n2\" 7\n", count: lines) + "bad\n"
        let result = try dryRun(Array(text.utf8))
        #expect(result.out.utf8.count { $0 == 0x0A } == lines)
        #expect(result.err.hasPrefix("\(2 * lines + 1):4: "))
    }

    @Test("floats parse back to the same bits")
    func floats() throws {
        let texts = ["0.1", "5e-324", "1.7976931348623157e308", "1e22", "123456789.12345679", "-1e-7", "1e16"]
        let result = try dryRun(Array(texts.map { "m f=\($0)\n" }.joined().utf8), ["--now", "0"])
        for (text, line) in zip(texts, result.out.split(separator: "\n")) {
            let number = line.dropFirst(#"{"measurement":"m","tags":{},"fields":{"f":{"float":"#.count).prefix {
                $0 != "}"
            }
            #expect(Double(number)?.bitPattern == Double(text)?.bitPattern, "\(line)")
        }
    }
}
