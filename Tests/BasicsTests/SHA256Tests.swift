import Basics
import Foundation
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "the examples of FIPS 180-4 and of NIST's vectors",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func vectors(_ text: String, _ digest: String) { #expect(SHA256.hex(of: Array(text.utf8)) == digest) }

    @Test("every length up to four blocks is what sha256sum says")
    func lengths() throws {
        var random = SeededGenerator(5)
        let folder = try TemporaryFolder()
        let texts = (0...256).map { count in (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
        for (count, bytes) in texts.enumerated() {
            try Data(bytes).write(to: URL(filePath: folder.path("\(1_000 + count)")))
        }
        let process = try ChildProcess("/bin/sh", ["-c", "cd \"$0\" && sha256sum *", folder.path("")])
        #expect(process.wait() == 0, "\(process.standardError)")
        let digests = process.standardOutput.split(separator: "\n").map { String($0.prefix(64)) }
        #expect(digests == texts.map { SHA256.hex(of: $0) })
    }
}
