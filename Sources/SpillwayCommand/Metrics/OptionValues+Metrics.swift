import LogReading
import Metrics
import Pipeline
import Shipping

/// Reads the values of options for metrics.
extension OptionValues {
  /// The address at which metrics are served.
  func listenAddress(_ text: String?) throws(UsageError) -> ListenAddress? {
    try text.map { (text) throws(UsageError) in
      let address = try metricsValue("--listen") { () throws(OptionValueError) in try ListenAddress(text) }
      if case .unix(let path) = address { return .unix(path: absolute(path)) }
      return address
    }
  }

  /// The path of the file to which metrics are written.
  func textfile(_ text: String?) throws(UsageError) -> String? {
    guard let text else { return nil }
    guard !text.isEmpty else { throw UsageError("--textfile: expected a path") }
    return absolute(text)
  }

  /// The interval at which the file is written, in nanoseconds.
  func textfilePeriod(_ text: String?) throws(UsageError) -> Int64? {
    guard let span = try time(text, option: "--textfile-every") else { return nil }
    guard span.nanoseconds >= 1_000_000_000 else {
      throw UsageError("--textfile-every: the shortest time is 1s")
    }
    return span.nanoseconds
  }

  /// The bounds of the histograms' buckets.
  func buckets(_ texts: [String]?) throws(UsageError) -> BucketBounds? {
    try texts.map { (texts) throws(UsageError) in
      try metricsValue("--buckets") { () throws(OptionValueError) in try BucketBounds(texts) }
    }
  }

  /// The labels of requests.
  func labels(_ texts: [String]?) throws(UsageError) -> [RequestLabel]? {
    try texts.map { (texts) throws(UsageError) in
      try metricsValue("--labels") { () throws(OptionValueError) in try RequestLabel.list(texts) }
    }
  }

  func labelLimit(_ text: String?) throws(UsageError) -> Int? {
    try number(text, option: "--label-limit", in: 1...RequestSettings.valuesMaxMax)
  }

  func setLimit(_ text: String?) throws(UsageError) -> Int? {
    try number(text, option: "--set-limit", in: 1...RequestSettings.setsMaxMax)
  }

  /// The parts of a text in which commas separate the values of a list.
  func parts(_ text: String?) -> [String]? {
    text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  private func metricsValue<Value>(
    _ option: String, _ read: () throws(OptionValueError) -> Value
  ) throws(UsageError) -> Value {
    do {
      return try read()
    } catch {
      throw UsageError("\(option): \(error)")
    }
  }
}

extension InstancePlace {
  /// The place of the counters of the server whose log is read; nil if the log isn't a live one.
  init?(_ input: InputConfiguration) {
    switch input.source {
    case .captured: return nil
    case .live(.memoryFile(let path)): self = .file(path)
    case .live(.instance(let name)):
      // An invalid name is reported when the instance's log is opened.
      guard let name = try? InstanceName(name) else { return nil }
      self = .directory(name.path)
    }
  }
}
