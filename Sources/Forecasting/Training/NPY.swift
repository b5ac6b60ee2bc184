/// NumPy's array file format, version 1.0, for float64 matrices, because every language can read it.
///
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
enum NPY {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]

    /// Encodes rows, padded with NaN to the length of the longest.
    static func encode(_ rows: [[Double]]) -> [UInt8] {
        let width = rows.map(\.count).max() ?? 0
        var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rows.count), \(width)), }"
        // The data must begin at a multiple of 64 bytes.
        header += String(repeating: " ", count: 63 - (magic.count + 2 + header.utf8.count) % 64) + "\n"
        var bytes = magic + [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
        bytes.reserveCapacity(bytes.count + rows.count * width * 8)
        for row in rows {
            for column in 0..<width {
                let value = column < row.count ? row[column] : .nan
                withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws(ForecastingError) -> [[Double]] {
        func refuse(_ reason: String) -> ForecastingError { .badFile("panel.npy", reason: reason) }
        guard bytes.count >= 10, Array(bytes[0..<8]) == magic else { throw refuse("not a NumPy file of version 1.0") }
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        guard start <= bytes.count else { throw refuse("its header is cut off") }
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        guard header.contains("'<f8'"), header.contains("False"),
            let shape = header.split(separator: "(").last?.split(separator: ")").first
        else { throw refuse("expected a float64 matrix in C order") }
        let sizes = shape.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) }
        let count = (bytes.count - start) / 8
        guard sizes.count == 2, (bytes.count - start) % 8 == 0,
            sizes[0].multipliedReportingOverflow(by: sizes[1]) == (count, false)
        else { throw refuse("its shape does not fit its length") }
        return bytes.withUnsafeBytes { raw in
            (0..<sizes[0]).map { row in
                (0..<sizes[1]).map { column in
                    let offset = start + (row * sizes[1] + column) * 8
                    return Double(
                        bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                }
            }
        }
    }
}
