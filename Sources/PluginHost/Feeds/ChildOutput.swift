import Dispatch
import Glibc

/// A child whose standard output is read piece by piece: an `exec` source.
public final class ChildOutput: Sendable {
    private let descriptor: Int32
    private let child: LaunchedChild
    /// Reading blocks, so it has a thread of its own.
    private let queue = DispatchQueue(label: "child-output")

    /// - Parameter line: called with each line of its standard error.
    /// - Throws: ``PluginHostError/cannotStart(command:reason:)``.
    public init(_ command: ChildCommand, line: @escaping @Sendable (String) -> Void) throws {
        let output = try Pipe()
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(null)
            close(output.writeEnd)
        }
        descriptor = output.readEnd
        child = try LaunchedChild(command, input: null, output: output.writeEnd, line: line) {
            line("ended with \($0)")
        }
    }

    deinit {
        child.end()
        close(descriptor)
    }

    /// The next bytes; nil once it has ended or the task is cancelled. Nothing is read ahead.
    public func next() async -> [UInt8]? {
        let bytes = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in continuation.resume(returning: read()) }
            }
        } onCancel: {
            child.end()
        }
        return bytes.isEmpty ? nil : bytes
    }

    private func read() -> [UInt8] {
        var count = -1
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
            repeat {
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            filled = max(0, count)
        }
        return bytes
    }
}
