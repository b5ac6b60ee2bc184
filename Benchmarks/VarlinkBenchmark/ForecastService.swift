import Varlink

/// A service whose one reply is as large as a forecast of 24 leads with 3 quantiles.
enum ForecastService {
    static let interface = """
        interface org.example.Forecast

        type Lead (lead: int, time: string, values: []float)

        type Forecast (
          series: string,
          forecaster: string,
          method: string,
          modelVersion: int,
          origin: string,
          cadenceSeconds: float,
          quantiles: []float,
          leads: []Lead,
          stale: bool
        )

        method Ping(text: string) -> (text: string)
        method GetForecast(series: string) -> (forecast: Forecast)
        """

    struct Text: Codable, Sendable { var text: String }
    struct Question: Codable, Sendable { var series: String }
    struct Reply: Codable, Sendable { var forecast: Forecast }
    struct Lead: Codable, Sendable {
        var lead: Int
        var time: String
        var values: [Float]
    }
    struct Forecast: Codable, Sendable {
        var series: String
        var forecaster: String
        var method: String
        var modelVersion: Int
        var origin: String
        var cadenceSeconds: Double
        var quantiles: [Double]
        var leads: [Lead]
        var stale: Bool
    }

    static let forecast = Forecast(
        series: "room,id=1 t", forecaster: "house", method: "lstm", modelVersion: 52, origin: "2026-11-24T21:50:00Z",
        cadenceSeconds: 300, quantiles: [0.05, 0.5, 0.95],
        leads: (1...24).map { lead in
            let middle = 21.5 + Float(lead) / 7
            return Lead(
                lead: lead, time: "2026-11-24T2\(lead % 4):\(10 + lead):00Z",
                values: [middle - 1.0 / 3, middle, middle + 0.37])
        },
        stale: false)

    static func run(_ path: String) async throws {
        let interface = try VarlinkInterface(
            interface,
            methods: [
                "Ping": { try await $0.reply($0.decode(Text.self)) },
                "GetForecast": { call in
                    var forecast = forecast
                    forecast.series = try call.decode(Question.self).series
                    try await call.reply(Reply(forecast: forecast))
                },
            ])
        let service = try VarlinkService(
            info: .init(vendor: "Example", product: "benchmark", version: "1", url: "https://example.org"),
            interfaces: [interface])
        try await service.run(.path(path))
    }
}
