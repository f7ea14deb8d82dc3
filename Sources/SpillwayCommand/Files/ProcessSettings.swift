import Pipeline
import Platform
import Settings
import Shipping

/// The settings of the process in a configuration file.
struct ProcessSettings {
  /// Whether to go into the background.
  private(set) var daemonizes = false
  private var pidFile: String?
  private var drainSeconds: Double?
  private var threads: Int?
  private var showsAccounting = false
  private var spoolBytes: Int?
  private var report: ProcessConfiguration.Report?
  private var statusSocket: String?
  private var account: Account?
  private var isSandboxed: Bool?
  /// The setting for the checkpoint.
  private(set) var resume = ResumeSetting()
  /// A directory to look for templates in first.
  private(set) var formatsDirectory: String?

  /// Takes the settings from a reader.
  mutating func take(_ reader: inout SettingsReader, _ values: OptionValues) {
    daemonizes = reader.takeSwitch("daemonize") ?? false
    pidFile = reader.take("pid-file", expecting: "a path")
    drainSeconds =
      reader.take("drain", expecting: "a time, like 5s") { (text) throws(UsageError) in
        try values.time(text, option: "--drain")?.seconds
      } ?? nil
    threads =
      reader.take("threads", expecting: "a number, like 2") { (text) throws(UsageError) in
        try values.threads(text)
      } ?? nil
    showsAccounting = reader.takeSwitch("stats") ?? false
    formatsDirectory = reader.take("formats-dir", expecting: "a directory") { (text) throws(UsageError) in
      let directory = values.absolute(text)
      _ = try values.templates(directory: directory)
      return directory
    }
    spoolBytes =
      reader.take("spool-memory", expecting: "a size, like 100M") { (text) throws(UsageError) in
        try values.size(text, option: "--spool-memory")
      } ?? nil
    takeReport(&reader, values)
    statusSocket = reader.take("status-socket", expecting: "a path") { (text) throws(UsageError) in
      _ = try values.statusPlace(text, isService: false)
      return text
    }
    account =
      reader.take("user", expecting: "USER[:GROUP]") { (text) throws(UsageError) in
        try values.account(text)
      } ?? nil
    isSandboxed = reader.takeSwitch("sandbox")
    resume.take(&reader, values)
  }

  private mutating func takeReport(_ reader: inout SettingsReader, _ values: OptionValues) {
    let seconds = reader.take("report", expecting: "a time, like 60s") { (text) throws(UsageError) in
      try values.reportSeconds(text)
    }
    let format = reader.take("report-format", expecting: "text or json") { (text) throws(UsageError) in
      try values.reportFormat(text)
    }
    guard let seconds else {
      if format != nil { reader.report("report-format", found: "no report", expected: "report, too") }
      return
    }
    report = ProcessConfiguration.Report(seconds: seconds, format: format ?? .text)
  }

  /// The configuration of the process that results from the settings.
  func configuration(_ values: OptionValues, isLive: Bool) -> ProcessConfiguration {
    var process = ProcessConfiguration()
    process.version = SpillwayCommand.version
    process.report = report
    process.account = account
    process.isSandboxed = isSandboxed ?? (account != nil)
    // Errors in the path were reported when it was taken; a run from a file counts as a service.
    process.statusSocket = (try? values.statusPlace(statusSocket, isService: true)) ?? .none
    process.daemonizes = daemonizes
    process.pidFile = pidFile.map(values.absolute)
    process.drainSeconds = drainSeconds ?? process.drainSeconds
    process.threads = threads ?? process.threads
    process.showsAccounting = showsAccounting || isLive
    process.spoolBytes = spoolBytes ?? process.spoolBytes
    return process
  }

  /// The outputs' mistakes in a process that runs in the background: it has no standard output.
  func mistakes(in outputs: [OutputBuilder.Built]) -> [SettingsMistake] {
    guard daemonizes else { return [] }
    return outputs.filter { $0.isPlaced && $0.configuration.target == .standardOutput }.compactMap { output in
      let keys = ["standard-output", "file"]
      guard let key = keys.first(where: { output.places[$0] != nil }), let place = output.places[key] else {
        return nil
      }
      return SettingsMistake(
        place: place, key: key, found: "standard output",
        expected: "another target, as the process daemonizes")
    }
  }
}
