/// Asks again and again until `isTrue`; what takes longer than `limit` will not come.
///
/// - Parameter what: completes "waited in vain until".
public func wait(until what: String, within limit: Duration = .seconds(60), _ isTrue: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !isTrue() {
        guard ContinuousClock.now < end else { throw TestError("waited \(limit) in vain until \(what)") }
    }
}
