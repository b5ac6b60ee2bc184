import Forecasting
import Foundation

/// Writes, per expert, `NAME.csv` as `score.py` reads it, at the protocol's origins, and `NAME.f32`, every origin's
/// `[horizon][quantiles]`; `index.csv` says which rows those are.
struct ForecastWriter {
    private let folder: URL
    private var files: [String: FileHandle] = [:]
    private let index: FileHandle

    init(_ folder: URL) throws {
        self.folder = folder
        index = try Self.create(folder.appending(path: "index.csv"))
        index.write(Data("series,first,count\n".utf8))
    }

    private static func create(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    private mutating func file(_ name: String, header: String = "") throws -> FileHandle {
        if let file = files[name] { return file }
        let file = try Self.create(folder.appending(path: name))
        file.write(Data(header.utf8))
        files[name] = file
        return file
    }

    mutating func write(
        _ courses: [Course], _ forecasts: [[Float]], _ experts: [String], _ dataset: Dataset,
        _ specification: ForecastSpecification
    ) throws {
        let count = specification.forecastCount
        let header =
            "series,origin,step," + specification.quantiles.levels.map { "q\($0)" }.joined(separator: ",") + "\n"
        for (course, values) in zip(courses, forecasts) {
            let origins = values.count / (experts.count * count)
            index.write(Data("\(course.name),\(course.warm - 1),\(origins)\n".utf8))
            for (place, expert) in experts.enumerated() {
                let name = expert.isEmpty ? "forecast" : expert
                let raw = try file("\(name).f32")
                let table = try file("\(name).csv", header: header)
                for origin in 0..<origins {
                    let start = (origin * experts.count + place) * count
                    let forecast = values[start..<start + count]
                    forecast.withUnsafeBytes { raw.write(Data($0)) }
                    guard origin % dataset.stride == 0 else { continue }
                    table.write(Data(Self.rows(course, origin, forecast, specification).utf8))
                }
            }
        }
    }

    private static func rows(
        _ course: Course, _ origin: Int, _ forecast: ArraySlice<Float>, _ specification: ForecastSpecification
    ) -> String {
        let width = specification.quantiles.count
        return (1...specification.horizon).map { step in
            let row = forecast[(forecast.startIndex + (step - 1) * width)...].prefix(width)
            return "\(course.name),\(course.warm - 1 + origin),\(step),"
                + row.map { "\($0)" }.joined(separator: ",") + "\n"
        }.joined()
    }
}
