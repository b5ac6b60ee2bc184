/// The version of nilod and niloctl.
package enum ProgramVersion {
    package static let current = "0.1.0"
}
