import Foundation
import TestSupport

/// What a daemon wrote and synced, in order, and what of it a power cut would have left.
struct WriteTrace {
    enum Event {
        case opened(file: UInt32, path: String)
        case wrote(file: UInt32, offset: Int, bytes: [UInt8])
        case truncated(file: UInt32, length: Int)
        case synced(file: UInt32)
        case removed(path: String)
    }

    private(set) var events: [Event] = []
    /// The length of the trace after each event.
    private(set) var ends: [Int] = []

    init(path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        var place = 0
        func number(_ offset: Int, _ width: Int) -> Int {
            (0..<width).reversed().reduce(0) { $0 << 8 | Int(bytes[place + offset + $1]) }
        }
        while place + 17 <= bytes.count {
            let (file, offset, length) = (UInt32(number(1, 4)), number(5, 8), number(13, 4))
            guard place + 17 + length <= bytes.count else { return }
            let payload = Array(bytes[place + 17..<place + 17 + length])
            let text = String(decoding: payload, as: UTF8.self)
            switch bytes[place] {
            case UInt8(ascii: "o"): events.append(.opened(file: file, path: text))
            case UInt8(ascii: "w"): events.append(.wrote(file: file, offset: offset, bytes: payload))
            case UInt8(ascii: "t"): events.append(.truncated(file: file, length: offset))
            case UInt8(ascii: "s"): events.append(.synced(file: file))
            case UInt8(ascii: "u"): events.append(.removed(path: text))
            default: throw TestError("the trace has an event it should not have")
            }
            place += 17 + length
            ends.append(place)
        }
    }

    /// How often the file called `name` was synced.
    func syncs(of name: String) -> Int {
        var files: Set<UInt32> = []
        return events.count { event in
            if case .opened(let file, let path) = event, path.hasSuffix("/" + name) { files.insert(file) }
            if case .synced(let file) = event { return files.contains(file) }
            return false
        }
    }

    /// Library and environment that make a program write its trace; nil, with the reason printed, without a C compiler.
    static func recorder(in folder: TemporaryFolder) throws -> [String: String]? {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Recorder/recorder.c").path
        let library = folder.path("recorder.so")
        let compilers = ["/usr/bin/clang", "/opt/swift/usr/bin/clang", "/usr/bin/cc", "/usr/bin/gcc"]
        let beside = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
        guard let compiler = (beside + compilers).first(where: { FileManager.default.isExecutableFile(atPath: $0) })
        else {
            skip("there is no C compiler to build the write recorder with")
            return nil
        }
        let build = try ChildProcess(compiler, ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"])
        guard build.wait() == 0 else { throw TestError("cannot build the recorder: \(build.standardError)") }
        return [
            "LD_PRELOAD": library, "TRACE_FOLDER": folder.path("state"), "TRACE_FILE": folder.path("trace"),
        ]
    }
}

/// The files of a trace as a disk would have them, with what is synced kept apart from what is only written.
struct SimulatedDisk {
    private struct File {
        var durable: [UInt8] = []
        var pending: [WriteTrace.Event] = []
    }

    private var files: [String: File] = [:]
    private var paths: [UInt32: String] = [:]

    mutating func apply(_ event: WriteTrace.Event) {
        switch event {
        case .opened(let file, let path):
            paths[file] = path
            files[path, default: File()].pending += []
        case .wrote(let file, _, _), .truncated(let file, _):
            if let path = paths[file] { files[path]?.pending.append(event) }
        case .synced(let file):
            guard let path = paths[file], let pending = files[path]?.pending else { return }
            for change in pending { Self.carryOut(change, &files[path, default: File()].durable) }
            files[path]?.pending = []
        case .removed(let path): files[path] = nil
        }
    }

    /// Writes what a power cut now would leave into `folder`.
    ///
    /// - Parameter survives: says of every write that was not synced whether it reached the disk, and how much of it.
    func cut(into folder: String, survives: (Int) -> Int) throws {
        for (path, file) in files {
            var bytes = file.durable
            for change in file.pending {
                guard case .wrote(let number, let offset, let data) = change else { continue }
                let kept = min(data.count, survives(data.count))
                let torn = WriteTrace.Event.wrote(file: number, offset: offset, bytes: Array(data.prefix(kept)))
                if kept > 0 { Self.carryOut(torn, &bytes) }
            }
            guard !bytes.isEmpty else { continue }
            let name = URL(filePath: path).lastPathComponent
            try Data(bytes).write(to: URL(filePath: folder).appending(path: name))
        }
    }

    private static func carryOut(_ change: WriteTrace.Event, _ bytes: inout [UInt8]) {
        switch change {
        case .wrote(_, let offset, let data):
            if bytes.count < offset + data.count {
                bytes += [UInt8](repeating: 0, count: offset + data.count - bytes.count)
            }
            bytes.replaceSubrange(offset..<offset + data.count, with: data)
        case .truncated(_, let length):
            if bytes.count > length {
                bytes.removeLast(bytes.count - length)
            } else {
                bytes += [UInt8](repeating: 0, count: length - bytes.count)
            }
        default: return
        }
    }
}
