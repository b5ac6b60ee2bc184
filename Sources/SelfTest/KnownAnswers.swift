/// `SelfTest`: compares this machine's kernels with reference results computed by Keras.
package import Recurrent

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A file of cases: `{"keras": …, "atol": 2e-5, "cases": [{"id": …, "kind": "forward" | "stateful" | "train", …}]}`.
///
/// Arrays are in Keras' layout, with gates in the order i, f, c, o; the weights of a layer are
/// `[kernel, recurrent_kernel, bias?]`. `hard_sigmoid` is that of Keras 3, `hard_sigmoid_keras2` that of Keras 2.
package struct KnownAnswers {
    /// The absolute tolerance for cases that specify none.
    let tolerance: Float
    let cases: [Entry]

    /// A case, or the error that prevented reading it.
    struct Entry {
        let id: String
        let content: Result<KnownCase, any Error>
    }

    /// The reference results built into this program.
    package static func builtIn() throws -> KnownAnswers { try KnownAnswers(json: PackageResources.keras_lstm_json) }

    /// - Throws: a decoding error when the bytes are not such a file. A single malformed case only fails itself.
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

/// The largest difference from Keras, and where it occurred.
struct Difference {
    private(set) var value: Float = 0
    private(set) var location = ""

    /// Records the largest difference; NaN counts as infinite.
    mutating func compare(_ actual: [Float], _ expected: [Float], _ name: String) {
        if actual.count != expected.count {
            record(.infinity, "\(name): \(actual.count) values, expected \(expected.count)")
        }
        for (actual, expected) in zip(actual, expected) {
            let difference = (actual - expected).magnitude
            if !(difference <= value) { record(difference.isNaN ? .infinity : difference, name) }
        }
    }

    private mutating func record(_ value: Float, _ location: String) { (self.value, self.location) = (value, location) }
}

/// The result of one case.
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
        return difference.location.isEmpty ? "\(id): \(comparison)" : "\(id): \(comparison) in \(difference.location)"
    }
}
