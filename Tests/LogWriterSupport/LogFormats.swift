import VarnishLog
public import LogWriting

/// The log formats by short names.
public enum LogFormats {
  /// A format by its name: `narrow`, `wide`, `wide9`, `single`.
  public static func named(_ name: String) -> LogWriterOptions.Format? {
    switch name {
    case "narrow": .indexed(.v41)
    case "wide": .indexed(.v73)
    case "wide9": .indexed(.v90)
    case "single": .singleFile
    default: nil
    }
  }
}
