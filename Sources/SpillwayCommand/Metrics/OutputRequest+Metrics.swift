import Metrics
import Pipeline
import Settings
import Shipping

extension OutputKey {
  /// Metrics as the target, with settings of their own; only a configuration file has a form for these.
  static let metrics = OutputKey("metrics", \.metrics, scope: .target) { reader, request, values in
    var settings = MetricsSettings()
    let isRead: Void? = reader.takeMapping("metrics") { settings.take(&$0, values) }
    if isRead != nil { request.metrics = settings }
  }
}

extension MetricsSettings {
  fileprivate mutating func take(_ reader: inout SettingsReader, _ values: OptionValues) {
    listen =
      reader.take("listen", expecting: "HOST:PORT or unix:PATH") { (text) throws(UsageError) in
        try values.listenAddress(text)
      } ?? nil
    textfile =
      reader.take("textfile", expecting: "a path") { (text) throws(UsageError) in
        guard text != "-" else { throw UsageError("expected a path, as nothing is printed at the end") }
        return try values.textfile(text)
      } ?? nil
    let period = reader.take("textfile-every", expecting: "a time, like 15s") { (text) throws(UsageError) in
      try values.textfilePeriod(text)
    }
    if let period = period ?? nil { textfileNanoseconds = period }
    if let texts = reader.takeList("buckets", expecting: "a number of seconds") {
      Self.take("buckets", &reader, expecting: "numbers of seconds, the smallest first") {
        () throws(UsageError) in
        requests.buckets = try values.buckets(texts) ?? requests.buckets
      }
    }
    if let texts = reader.takeList("labels", expecting: "a label") {
      Self.take("labels", &reader, expecting: "host, method, status, handling or backend") {
        () throws(UsageError) in
        requests.labels = try values.labels(texts) ?? requests.labels
      }
    }
    let valuesMax = reader.take("label-limit", expecting: "a number") { (text) throws(UsageError) in
      try values.labelLimit(text)
    }
    requests.valuesMax = (valuesMax ?? nil) ?? requests.valuesMax
    let setsMax = reader.take("set-limit", expecting: "a number") { (text) throws(UsageError) in
      try values.setLimit(text)
    }
    requests.setsMax = (setsMax ?? nil) ?? requests.setsMax
    if reader.place(of: "listen") == nil, reader.place(of: "textfile") == nil {
      reader.report("listen", found: "nothing reads them", expected: "listen or textfile")
    } else if reader.place(of: "textfile-every") != nil, reader.place(of: "textfile") == nil {
      reader.report("textfile-every", found: "no file", expected: "textfile, too")
    }
  }

  /// Reads a list whose items are also checked together.
  private static func take(
    _ key: String, _ reader: inout SettingsReader, expecting expected: String,
    _ read: () throws(UsageError) -> Void
  ) {
    do throws(UsageError) {
      try read()
    } catch {
      let words = error.description
      let option = "--\(key): "
      reader.report(
        key, found: words.hasPrefix(option) ? String(words.dropFirst(option.count)) : words,
        expected: expected)
    }
  }
}

extension OutputRequest {
  /// Sets the lines from which metrics are counted.
  func setMetrics(_ output: inout OutputConfiguration) {
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(MetricsOutput.format)
    output.shown = .lines(formatting)
    // Without a choice of sides, both are counted: fetches have metrics of their own.
    if !side.client, !side.backend { (output.client, output.backend) = (true, true) }
  }

  /// Sets the process's metrics as the output's target.
  func setMetricsTarget(
    _ settings: MetricsSettings, _ output: inout OutputConfiguration, _ context: OutputContext
  ) throws(UsageError) {
    if self.output.markGaps {
      try context.object(
        UsageError(
          "--mark-gaps needs lines",
          inSettings: .init("mark-gaps", "metrics, which have no lines", hint: "expected lines or groups")))
    }
    guard let shelf = context.metrics else { return }
    var settings = settings
    settings.instance = context.instance
    output.target = .observer(ObserverTarget(shelf.output(settings)))
  }
}
