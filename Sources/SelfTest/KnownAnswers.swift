/// `SelfTest`: runs answers that Keras gave against this machine's kernels.
package import Recurrent

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A file of cases: `{"keras": …, "atol": 2e-5, "cases": [{"id": …, "kind": "forward" | "stateful" | "train", …}]}`.
///
/// Arrays lie in Keras' layout, gates in the order i, f, c, o; the weights of a layer are
/// `[kernel, recurrent_kernel, bias?]`. `hard_sigmoid` is Keras 3's, `hard_sigmoid_keras2` that of Keras 2.
package struct KnownAnswers {
    /// How far a number may lie from Keras', where a case says nothing else.
    let tolerance: Float
    let cases: [Entry]

    /// A case, or why it could not be read.
    struct Entry {
        let id: String
        let content: Result<KnownCase, any Error>
    }

    /// The answers built into this program.
    package static func builtIn() throws -> KnownAnswers { try KnownAnswers(json: PackageResources.keras_lstm_json) }

    /// - Throws: an error of the decoder when the bytes are not such a file. A single odd case only fails.
    package init(json: [UInt8]) throws {
        let file = try JSONDecoder().decode(File.self, from: Data(json))
        tolerance = file.atol ?? 2e-5
        cases = file.cases.enumerated().map { Entry(id: $1.id ?? "case \($0)", content: $1.content) }
    }

    private struct File: Decodable {
        let atol: Float?
        let cases: [Attempt]
    }

    private struct Attempt: Decodable {
        let id: String?
        let content: Result<KnownCase, any Error>

        private enum Key: CodingKey { case id }

        init(from decoder: any Decoder) throws {
            id = try? decoder.container(keyedBy: Key.self).decode(String.self, forKey: .id)
            content = Result { try KnownCase(from: decoder) }
        }
    }

    /// Runs every case on `kernels`.
    package func run(on kernels: Kernels = .best) -> [CaseResult] {
        cases.map { entry in
            var largest = Difference()
            do {
                let known = try entry.content.get()
                largest = try known.largestDifference(on: kernels)
                return CaseResult(
                    id: entry.id, difference: largest, tolerance: known.atol ?? tolerance, problem: nil)
            } catch {
                return CaseResult(id: entry.id, difference: largest, tolerance: tolerance, problem: "\(error)")
            }
        }
    }
}

/// How far a case lies from Keras, and where.
struct Difference {
    private(set) var value: Float = 0
    private(set) var place = ""

    /// NaN counts as infinitely far.
    mutating func compare(_ found: [Float], _ expected: [Float], _ name: String) {
        if found.count != expected.count {
            note(.infinity, "\(name): \(found.count) values, expected \(expected.count)")
        }
        for (found, expected) in zip(found, expected) {
            let difference = (found - expected).magnitude
            if !(difference <= value) { note(difference.isNaN ? .infinity : difference, name) }
        }
    }

    private mutating func note(_ value: Float, _ place: String) { (self.value, self.place) = (value, place) }
}

/// What became of one case.
package struct CaseResult {
    package let id: String
    let difference: Difference
    let tolerance: Float
    /// Why the case could not be run.
    let problem: String?

    package var isPassed: Bool { problem == nil && difference.value <= tolerance }

    /// One line for a report.
    package var description: String {
        if let problem { return "\(id): \(problem)" }
        let comparison = "largest difference \(difference.value)"
        return difference.place.isEmpty ? "\(id): \(comparison)" : "\(id): \(comparison) in \(difference.place)"
    }
}
