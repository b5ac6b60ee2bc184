import Glibc

/// What this build looks out for while it runs.
public enum Sanitizer {
    /// Under ThreadSanitizer children have no limit on their memory: its own takes terabytes.
    public static let isThread = dlsym(nil, "__tsan_init") != nil
}
