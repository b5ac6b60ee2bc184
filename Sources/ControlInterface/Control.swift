/// `ControlInterface`: the messages of `org.nilometer.Control`. Names and types are those of the interface file.

/// The interface: its name, its text and its errors.
public enum Control {
    public static let name = "org.nilometer.Control"
    public static let defaultSocket = "/run/nilometer/nilod.sock"

    /// The interface file.
    public static var description: String {
        String(decoding: PackageResources.org_nilometer_Control_varlink, as: UTF8.self)
    }

    /// The qualified name of a method or an error.
    public static func qualified(_ bare: String) -> String { "\(name).\(bare)" }
}
