import Foundation
import Testing

/// What the Markdown pages name exists: files, symbols and the targets of relative links.
@Suite struct DocumentationTests {
    private static let root = ImportTests.root

    private static let pages: [String] = {
        let found = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return found.filter { path in
            path.hasSuffix(".md") && !path.hasPrefix(".") && !path.contains("/.build")
        }.sorted()
    }()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test("relative links lead to files that exist") func links() throws {
        #expect(Self.pages.count > 20)
        for page in Self.pages {
            let folder = Self.root.appending(path: page).deletingLastPathComponent()
            for match in try Self.text(page).matches(of: /\]\(([^)\s#]+)(#[^)]*)?\)/) {
                let target = String(match.1)
                guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
                let path = folder.appending(path: target).standardizedFileURL.path
                #expect(FileManager.default.fileExists(atPath: path), "\(page): \(target)")
            }
        }
    }

    @Test("the architecture page names files and symbols that exist") func architecture() throws {
        let page = try Self.text("docs/architecture.md")
        let files = try ["Sources", "Plugins"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path).map {
                "\(folder)/\($0)"
            }
        }
        let names = Set(files.map { String($0.split(separator: "/").last ?? "") })
        let swift = try files.filter { $0.hasSuffix(".swift") }.map { try Self.text($0) }.joined()
        var checked = 0
        for match in page.matches(of: /`([^`\n]+)`/) {
            let word = String(match.1)
            if word.hasPrefix("Sources/") || word.hasPrefix("Tests/") {
                #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: word).path), "\(word)")
            } else if word.hasSuffix(".swift") {
                #expect(names.contains(word), "\(word)")
            } else if let symbol = word.wholeMatch(of: /([A-Z]\w+)(\.(\w+))?/) {
                #expect(Self.declares("\(symbol.1)", in: swift), "\(word)")
                if let member = symbol.3 { #expect(Self.declares("\(member)", in: swift), "\(word)") }
            } else {
                continue
            }
            checked += 1
        }
        #expect(checked > 50)
    }

    private static func declares(_ name: String, in text: String) -> Bool {
        ["func", "var", "let", "case", "struct", "enum", "class", "protocol", "actor"].contains {
            text.contains("\($0) \(name)")
        }
    }
}
