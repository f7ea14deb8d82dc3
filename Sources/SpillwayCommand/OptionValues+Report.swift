import Shipping
import Pipeline

/// Reads the values of the options for reports.
extension OptionValues {
  /// The values of `--report` and `--report-format`.
  func report(_ process: ProcessOptions) throws(UsageError) -> ProcessConfiguration.Report? {
    if process.reportFormat != nil, process.report == nil {
      throw UsageError("--report-format needs --report TIME")
    }
    let format = try process.reportFormat.map { (text) throws(UsageError) in try reportFormat(text) }
    guard let text = process.report else { return nil }
    return ProcessConfiguration.Report(seconds: try reportSeconds(text), format: format ?? .text)
  }

  func reportFormat(_ text: String) throws(UsageError) -> ProcessConfiguration.Report.Format {
    guard let format = ProcessConfiguration.Report.Format(rawValue: text) else {
      throw UsageError("--report-format: \"\(text)\" is neither text nor json")
    }
    return format
  }

  func reportSeconds(_ text: String) throws(UsageError) -> Double {
    guard let seconds = try time(text, option: "--report")?.seconds, seconds >= 1 else {
      throw UsageError("--report: the shortest time is 1s")
    }
    return seconds
  }
}
