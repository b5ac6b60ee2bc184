/// Conversion between days since 1970-01-01 and dates in the Gregorian calendar, by Howard Hinnant's `days_from_civil`
/// and `civil_from_days`, https://howardhinnant.github.io/date_algorithms.html.
package enum CivilDay {
    /// Days from 1970-01-01 to a date.
    ///
    /// - Parameters:
    ///   - month: 1…12.
    ///   - date: 1…31; a day past the end of the month continues into the next month.
    package static func days(_ year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        // Years start on 1 March and are grouped into eras of 400.
        let y = month <= 2 ? year - 1 : year
        let era = floorDivide(y, 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of `day`, which counts days since 1970-01-01; `month` is 1…12 and `date` 1…31.
    package static func date(of day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        return (era * 400 + yearOfEra + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3, date)
    }

    package static func year(of day: Int64) -> Int64 { date(of: day).year }

    package static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}
