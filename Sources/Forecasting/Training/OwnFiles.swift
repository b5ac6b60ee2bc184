import Glibc

/// What a program of ours makes in a folder, told by the names: the only things there that it ever removes.
public struct OwnFiles: Sendable {
    /// Whether a file of that name is ours.
    let hasFile: @Sendable (String) -> Bool
    /// What is ours in a folder of that name; nil: the folder is not.
    let folder: @Sendable (String) -> OwnFiles?

    public init(
        files: @escaping @Sendable (String) -> Bool, folder: @escaping @Sendable (String) -> OwnFiles? = { _ in nil }
    ) {
        hasFile = { files($0) || Self.isNumbered($0, Self.partPrefix) }
        self.folder = folder
    }

    /// How the names of files begin that are not whole yet.
    static let partPrefix = ".part-"

    /// Whether `name` is `prefix` and a number as ``Directory/numberedFolder(_:)`` writes it.
    public static func isNumbered(_ name: String, _ prefix: String = "") -> Bool {
        guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.count)) else { return false }
        return "\(prefix)\(number)" == name
    }
}

extension Directory {
    /// The names of everything in it.
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

    /// Removes files and folders of ours. Links, what has another name, and what lies on another file system stays, and the
    /// folders it is in.
    ///
    /// - Returns: the paths of what was removed in this folder, and of what stays in folders of ours.
    @discardableResult
    public func remove(_ own: OwnFiles) -> (removed: [String], stays: [String]) {
        var (removed, stays): ([String], [String]) = ([], [])
        for name in names() {
            if own.hasFile(name), hasFile(name) {
                if unlinkat(descriptor, name, 0) == 0 { removed.append("\(path)/\(name)") }
            } else if let inside = own.folder(name), let folder = opened(name), isOnOneFileSystem(as: folder) {
                let found = folder.removeAll(inside)
                stays += found
                if found.isEmpty, unlinkat(descriptor, name, AT_REMOVEDIR) == 0 { removed.append(folder.path) }
            }
        }
        return (removed, stays)
    }

    /// - Returns: what stays.
    private func removeAll(_ own: OwnFiles) -> [String] {
        let stays = remove(own).stays
        return stays.isEmpty ? names().map { "\(path)/\($0)" } : stays
    }

    private func isOnOneFileSystem(as other: Directory) -> Bool {
        var (mine, theirs) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && fstat(other.descriptor, &theirs) == 0 && mine.st_dev == theirs.st_dev
    }
}
