import Basics
import CSimulatedDisk
import Storage

/// A simulated machine's disk, which outlives its processes.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class MemoryDisk: @unchecked Sendable {
    let disk: OpaquePointer
    /// The number of processes that have died.
    fileprivate var generation = 0
    /// The databases that the living process has locked.
    fileprivate var lockedPaths: Set<String> = []

    /// Also makes SQLite use this disk from now on.
    init(seed: UInt64) {
        disk = simulated_disk_create(seed)
        // SQLITE_IOCAP_POWERSAFE_OVERWRITE, which SQLite assumes of Linux: a torn write leaves its neighbours alone.
        simulated_disk_set_characteristics(disk, 0x1000)
        simulated_disk_register_vfs(1)
        simulated_disk_mount(disk)
    }

    deinit { simulated_disk_destroy(disk) }

    /// Lets the process die or the power fail.
    func crash(_ kind: SimulatedCrash, seed: UInt64) {
        simulated_disk_crash(disk, kind, seed)
        generation += 1
        lockedPaths = []
    }

    static let faultNames: KeyValuePairs<String, SimulatedFault> = [
        "short write": SIMULATED_FAULT_SHORT_WRITE, "full": SIMULATED_FAULT_FULL,
        "read error": SIMULATED_FAULT_READ_ERROR, "write error": SIMULATED_FAULT_WRITE_ERROR,
        "truncate error": SIMULATED_FAULT_TRUNCATE_ERROR, "sync error": SIMULATED_FAULT_SYNC_ERROR,
        "slow call": SIMULATED_FAULT_SLOW, "open error": SIMULATED_FAULT_OPEN_ERROR,
    ]

    /// The faults that were delivered, by name.
    var delivered: [String: Int] {
        var counts: [String: Int] = [:]
        for (name, fault) in Self.faultNames { counts[name] = Int(clamping: simulated_disk_fired(disk, fault)) }
        return counts.filter { $0.value > 0 }
    }

    var paths: [String] {
        (0..<simulated_disk_count(disk)).compactMap { simulated_disk_path(disk, $0).map { String(cString: $0) } }
    }
}

/// The disk as one process sees it, until it dies.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class ProcessDisk: Disk, @unchecked Sendable {
    private let machine: MemoryDisk
    private let generation: Int

    init(_ machine: MemoryDisk) { (self.machine, generation) = (machine, machine.generation) }

    /// nil once the process is dead.
    fileprivate var disk: OpaquePointer? { generation == machine.generation ? machine.disk : nil }

    func lock(database path: String) throws(StorageError) -> any DatabaseLock {
        guard disk != nil, machine.lockedPaths.insert(path).inserted else { throw .lockedBy(pid: 1, path: path) }
        return Lock(disk: self, path: path)
    }

    /// Lets this process die.
    func die() { if disk != nil { machine.crash(SIMULATED_CRASH_KILL, seed: 0) } }

    fileprivate func unlock(_ path: String) { if disk != nil { machine.lockedPaths.remove(path) } }

    func open(_ path: String) -> (any ReadableFile)? {
        guard let disk, case let size = simulated_disk_size(disk, path), size >= 0 else { return nil }
        return File(disk: self, path: path, count: Int(size))
    }

    func openForWriting(_ path: String, isNew: Bool) -> (any WritableFile)? {
        guard let disk, simulated_disk_write(disk, path, 0, "", 0) >= 0 else { return nil }
        if isNew, simulated_disk_truncate(disk, path, 0) != 0 { return nil }
        return File(disk: self, path: path, count: 0)
    }

    func exists(_ path: String) -> Bool { disk.map { simulated_disk_size($0, path) >= 0 } ?? false }

    func identity(of path: String) -> FileIdentity? {
        guard let disk, case let inode = simulated_disk_inode(disk, path), inode != 0 else { return nil }
        return FileIdentity(device: 1, inode: inode)
    }

    func resolved(_ path: String) -> String? { exists(path) ? path : nil }

    func copy(_ path: String, to target: String) throws(StorageError) {
        guard let disk, simulated_disk_copy(disk, path, target) == 0 else {
            throw .io(path: path, reason: "cannot be copied")
        }
    }

    func move(_ path: String, to target: String) throws(StorageError) {
        guard let disk, simulated_disk_rename(disk, path, target) == 0 else {
            throw .io(path: path, reason: "cannot be moved")
        }
    }

    func sync(_ path: String) throws(StorageError) {
        guard let disk, simulated_disk_sync(disk, path) == 0 else {
            throw .io(path: path, reason: "Input/output error")
        }
    }

    func remove(_ path: String) { if let disk { simulated_disk_remove(disk, path) } }

    private final class Lock: DatabaseLock {
        private let disk: ProcessDisk
        private let path: String

        init(disk: ProcessDisk, path: String) { (self.disk, self.path) = (disk, path) }

        func release() { disk.unlock(path) }
    }

    private final class File: ReadableFile, WritableFile {
        let count: Int
        private let disk: ProcessDisk
        private let path: String

        init(disk: ProcessDisk, path: String, count: Int) { (self.disk, self.path, self.count) = (disk, path, count) }

        func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: max(0, count))
            guard let disk = disk.disk,
                case let read = simulated_disk_read(disk, path, Int64(offset), &bytes, Int64(bytes.count)), read >= 0
            else { throw .io(path: path, reason: "Input/output error") }
            bytes.removeLast(bytes.count - max(0, Int(read)))
            return bytes
        }

        func write(_ bytes: [UInt8], at offset: Int) -> Bool {
            guard let disk = disk.disk else { return false }
            return simulated_disk_write(disk, path, Int64(offset), bytes, Int64(bytes.count)) == Int64(bytes.count)
        }
    }
}
