import Foundation
import Glibc
import Synchronization

/// A pipe whose read end is emptied by a thread until the last writer is gone.
final class DrainedPipe: Sendable {
    let writeEnd: Int32
    private let bytes = Mutex<[UInt8]>([])
    private let ended = DispatchGroup()

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestError("cannot make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let readEnd = ends[0]
        writeEnd = ends[1]
        ended.enter()
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(readEnd, &buffer, buffer.count)
                guard count > 0 else { break }
                bytes.withLock { $0 += buffer[..<count] }
            }
            close(readEnd)
            ended.leave()
        }
    }

    func closeWriteEnd() { close(writeEnd) }

    /// Everything, once the writers are gone.
    var text: String {
        ended.wait()
        return String(decoding: bytes.withLock { $0 }, as: UTF8.self)
    }
}
