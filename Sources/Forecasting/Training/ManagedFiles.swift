import Glibc

/// Identifies by name the files and folders that Nilometer's programs create in a folder: the only ones they ever
/// remove there.
public struct ManagedFiles: Sendable {
    /// Whether a file of that name is managed.
    let hasFile: @Sendable (String) -> Bool
    /// The managed contents of a folder of that name; nil if the folder is not managed.
    let folder: @Sendable (String) -> ManagedFiles?

    public init(
        files: @escaping @Sendable (String) -> Bool,
        folder: @escaping @Sendable (String) -> ManagedFiles? = { _ in nil }
    ) {
        hasFile = { files($0) || Self.isNumbered($0, Self.partPrefix) }
        self.folder = folder
    }

    /// The prefix of the names of incomplete files.
    static let partPrefix = ".part-"

    /// Whether `name` is `prefix` followed by a number, as written by ``Directory/numberedFolder(_:)``.
    public static func isNumbered(_ name: String, _ prefix: String = "") -> Bool {
        guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.count)) else { return false }
        return "\(prefix)\(number)" == name
    }
}

extension Directory {
    /// The names of all entries, sorted.
    package func names() -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let entries = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes managed files and folders.
    ///
    /// Links, entries with other names and folders on another file system are kept, and so are the folders that contain
    /// them.
    ///
    /// - Returns: the paths of the removed entries of this folder, and of the entries that remain in managed folders.
    @discardableResult
    public func remove(_ managed: ManagedFiles) -> (removed: [String], stays: [String]) {
        var (removed, stays): ([String], [String]) = ([], [])
        for name in names() {
            if managed.hasFile(name), hasFile(name) {
                if unlinkat(descriptor, name, 0) == 0 { removed.append("\(path)/\(name)") }
            } else if let inside = managed.folder(name), let folder = opened(name), isOnSameFileSystem(as: folder) {
                let kept = folder.removeAll(inside)
                stays += kept
                if kept.isEmpty, unlinkat(descriptor, name, AT_REMOVEDIR) == 0 { removed.append(folder.path) }
            }
        }
        return (removed, stays)
    }

    /// - Returns: the paths that remain.
    private func removeAll(_ managed: ManagedFiles) -> [String] {
        let stays = remove(managed).stays
        return stays.isEmpty ? names().map { "\(path)/\($0)" } : stays
    }

    private func isOnSameFileSystem(as other: Directory) -> Bool {
        var (mine, theirs) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && fstat(other.descriptor, &theirs) == 0 && mine.st_dev == theirs.st_dev
    }
}
