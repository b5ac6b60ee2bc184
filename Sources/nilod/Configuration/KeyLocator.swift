/// Finds the line of a key, which the TOML library gives only for syntax errors.
///
/// Keys are written as `forecaster[0].name`; the scan knows tables, arrays of tables and bare keys, which is all that
/// `nilod.toml` has.
struct KeyLocator {
    let file: String
    private var lines: [String: Int] = [:]

    init(file: String, text: String) {
        self.file = file
        var header: [String] = []
        var counts: [String: Int] = [:]
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[[") {
                let name = String(line.dropFirst(2).prefix { $0 != "]" })
                header = ["\(name)[\(counts[name, default: 0])]"]
                counts[name, default: 0] += 1
            } else if line.hasPrefix("[") {
                header = Self.indexed(
                    line.dropFirst().prefix { $0 != "]" }.split(separator: ".").map(String.init), counts)
            } else if let equals = line.firstIndex(of: "="), !line.hasPrefix("#") {
                let key = line[..<equals].filter { $0 != " " && $0 != "\"" && $0 != "\t" }
                lines[(header + [key]).joined(separator: ".")] = index + 1
                continue
            } else {
                continue
            }
            lines[header.joined(separator: ".")] = index + 1
        }
    }

    /// The line of `key`, or of the nearest table around it; nil if there is none.
    func line(of key: String) -> Int? {
        var parts = key.split(separator: ".", omittingEmptySubsequences: false)
        while !parts.isEmpty {
            if let line = lines[parts.joined(separator: ".")] { return line }
            parts.removeLast()
        }
        return nil
    }

    /// `[forecaster.parameters.lstm]` belongs to the newest `[[forecaster]]`.
    private static func indexed(_ path: [String], _ counts: [String: Int]) -> [String] {
        guard let first = path.first, let count = counts[first] else { return path }
        return ["\(first)[\(count - 1)]"] + path.dropFirst()
    }
}
