import Foundation
import Glibc
import Synchronization

/// A pipe whose read end is emptied by a thread until the last writer is gone.
final class DrainedPipe: Sendable {
    let writeEnd: Int32
    private let bytes = Mutex<[UInt8]>([])
    private let ended = DispatchGroup()
    /// Signalled with every piece and at the end.
    private let arrival = DispatchSemaphore(value: 0)
    private let isAtEnd = Mutex(false)

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
                arrival.signal()
            }
            close(readEnd)
            isAtEnd.withLock { $0 = true }
            arrival.signal()
            ended.leave()
        }
    }

    func closeWriteEnd() { close(writeEnd) }

    /// Everything, once the writers are gone; one that stays for a minute will not go.
    var text: String {
        guard ended.wait(timeout: .now() + 60) == .success else { return soFar + "\n(somebody can still write here)\n" }
        return soFar
    }

    private var soFar: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    /// Waits until so many whole lines with `text` have come. One caller at a time.
    ///
    /// - Returns: those lines; nil if the writers went away before, or said nothing for a minute and a half.
    func lines(with text: String, count: Int) -> [String]? {
        while true {
            let isLast = isAtEnd.withLock { $0 }
            var lines = soFar.split(separator: "\n", omittingEmptySubsequences: false)
            if !isLast { lines.removeLast() }
            let found = lines.filter { $0.contains(text) }.prefix(count).map(String.init)
            if found.count == count { return found }
            guard !isLast else { return nil }
            guard arrival.wait(timeout: .now() + 90) == .success else { return nil }
        }
    }
}
