/// A kind of lines: 3 tags, 2 fields and a timestamp in nanoseconds.
struct Shape {
    var name: String
    var hosts: Int
    /// Digits behind the dot.
    var digits: Int

    static let all = [
        Shape(name: "20 series, 2 decimals", hosts: 10, digits: 2),
        Shape(name: "20,000 series interleaved, 2 decimals", hosts: 10_000, digits: 2),
        Shape(name: "2,000 series, full precision (17 digits)", hosts: 1_000, digits: 15),
    ]

    func text(lines: Int) -> [UInt8] {
        var state: UInt64 = 7
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 11
        }
        func value() -> String {
            let fraction = String(random() % (0..<digits).reduce(1) { product, _ in product * 10 })
            return "\(10 + random() % 90).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
        }
        var out: [UInt8] = []
        for line in 0..<lines {
            let head = "cpu,host=server\(1_000 + line % hosts),region=eu-west,rack=r\(10 + line % hosts % 40)"
            out += "\(head) user=\(value()),system=\(value()) \(1_795_525_594_000_000_000 + line * 1_000_003)\n".utf8
        }
        return out
    }
}
