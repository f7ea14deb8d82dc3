import Shipping
import Pipeline

/// How often a run says how it stands.
extension OptionValues {
  /// What `--report` and `--report-format` say.
  func report(_ process: ProcessOptions) throws(UsageError) -> ProcessConfiguration.Report? {
    var format = ProcessConfiguration.Report.Format.text
    if let text = process.reportFormat {
      guard process.report != nil else { throw UsageError("--report-format needs --report TIME") }
      guard let found = ProcessConfiguration.Report.Format(rawValue: text) else {
        throw UsageError("--report-format: \"\(text)\" is neither text nor json")
      }
      format = found
    }
    guard let seconds = try time(process.report, option: "--report")?.seconds else { return nil }
    guard seconds >= 1 else { throw UsageError("--report: the shortest time is 1s") }
    return ProcessConfiguration.Report(seconds: seconds, format: format)
  }
}
