import LogReading
import Platform
import Transactions
import VarnishLog

/// Runs over captured logs, one after the other.
extension Pipeline {
  static func runCaptured(
    _ capture: Capture, _ control: consuming RunControl, _ opened: consuming FixedList<OpenedOutput?>?
  ) throws(RunError) -> RunOutcome {
    var control = control
    let input = control.configuration.input
    let isOld = input.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
    // Standard input and named pipes may have nothing to read yet. All inputs are opened before the process
    // gives up the privileges that this takes.
    var found = try control.aside("opening \(control.logPath)", patienceSeconds: 0) {
      Result { () throws(LogError) in
        try FixedList<CapturedInput?>(count: capture.inputs.count) { (index) throws(LogError) in
          try CapturedInput.find(capture.inputs[index])
        }
      }.mapError { isOld ? .logFileInOldTool($0) : .log($0) }
    }
    let opened = try control.openAsUser(opened)
    let options = CaptureOptions(capture, input)
    guard let first = found[0].take() else { preconditionFailure("there is one at least") }
    let path = first.path
    let log: CapturedLog
    do {
      log = try first.open(options)
    } catch {
      throw isOld ? .logFileInOldTool(error) : .log(error)
    }
    var run = try Run(control, opened, canWait: true)
    guard !capture.merges else {
      var inputs = [try MergedInput.of(log, path, &run)]
      for index in 1..<found.count {
        if let next = found[index].take(), let more = try run.mergedInput(next, options) {
          inputs.append(more)
        }
      }
      try run.merge(inputs)
      return run.finish()
    }
    try run.read(log, path, again: options)
    for index in 1..<found.count where !run.isEnding {
      guard let next = found[index].take() else { continue }
      try run.read(next, options)
    }
    return run.finish()
  }
}

extension CaptureOptions {
  /// How a run reads its captured logs.
  init(_ capture: Capture, _ input: InputConfiguration) {
    self.init()
    salvages = capture.salvages
    numbering = input.release.map { TagNumbering(of: $0) }
    assumedNumbering = input.assumedNumbering
  }
}

extension Run {
  /// Prepares to read one more log beside others; nil if it can't be read.
  fileprivate mutating func mergedInput(
    _ input: consuming CapturedInput, _ options: CaptureOptions
  ) throws(RunError) -> MergedInput? {
    let path = input.path
    let log: CapturedLog
    do {
      log = try input.open(options)
    } catch {
      control.fail(error.description)
      return nil
    }
    return try MergedInput.of(log, path, &self)
  }

  /// Reads the next log; if it can't be read, reading goes on with the logs behind it.
  fileprivate mutating func read(_ input: consuming CapturedInput, _ options: CaptureOptions) throws(RunError)
  {
    let path = input.path
    let log: CapturedLog
    do {
      log = try input.open(options)
    } catch {
      return control.fail(error.description)
    }
    try read(log, path, again: nil)
  }

  /// Reads a log to its end.
  ///
  /// - Parameter options: how to open the log once more if it isn't the log that an earlier run has read.
  fileprivate mutating func read(
    _ log: consuming CapturedLog, _ path: String, again options: CaptureOptions?
  ) throws(RunError) {
    var isOther = false
    switch consume log {
    case .narrowFile(var records): isOther = try !read(whole: &records, path)
    case .wideFile(var records): isOther = try !read(whole: &records, path)
    case .file20(var records): isOther = try !read(whole: &records, path)
    case .file21(var records): isOther = try !read(whole: &records, path)
    case .file30(var records): isOther = try !read(whole: &records, path)
    case .narrowImage(var records): isOther = try !read(whole: &records, path)
    case .wideImage(var records): isOther = try !read(whole: &records, path)
    case .image20(var records): isOther = try !read(whole: &records, path)
    case .image21(var records): isOther = try !read(whole: &records, path)
    case .image30(var records): isOther = try !read(whole: &records, path)
    }
    guard isOther, let options else { return }
    let whole: CapturedLog
    do {
      whole = try CapturedInput.find(path).open(options)
    } catch {
      throw .log(error)
    }
    try read(whole, path, again: nil)
  }

  /// Reads a log from where an earlier run had come, or from its beginning.
  ///
  /// - Returns: false if the log isn't the one that the earlier run read, and is to be opened anew.
  private mutating func read<Source: CapturedSource & ~Copyable>(
    whole source: inout Source, _ path: String
  ) throws(RunError) -> Bool {
    guard try goOn(in: &source, path) else { return false }
    if let name = beginBinary(Source.Layout.self, source.numbering, single: source.singleNumbering) {
      control.fail(
        "\(path): its records lie or are numbered otherwise than those before: \(name) can't go on with them")
      return true
    }
    announceReady()
    try read(&source, path)
    return true
  }
}
