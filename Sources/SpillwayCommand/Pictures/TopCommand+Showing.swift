import LogQuery
import Pictures
import Pipeline
import Platform
import Shipping
import TerminalViews

extension TopCommand {
  /// The observer that counts, its output, and the names of a key's parts.
  private struct Counting {
    let observer: TopObserver
    let target: ObserverTarget
    var request: OutputRequest
    let keyNames: [String]
  }

  func show(_ context: OptionContext) throws -> RunOutcome {
    var configuration = try configuration(context)
    try checkFormats(configuration)
    let terminal = once || j ? nil : Terminal.open()
    let staysAtEnd = context.isOldName && (!input.r.isEmpty || input.d)
    let isLive = terminal != nil && (staysAtEnd || (input.r.isEmpty && !input.d))
    let period = try period(context.values)
    let limit = try context.values.number(limit, option: "--limit", in: 1...Int(Int32.max))
    let rules = context.values.recordRules(context.letters)
    let counting = try counting(context, rules, period: isLive ? period : nil)
    var output = try output(counting.request, context, to: counting.target)
    configuration.outputs = [output]
    try check(rules, configuration)
    if isLive, let terminal {
      let watch = RunWatch(staysAtEnd: staysAtEnd)
      let screen = TopScreen(
        counting.observer, watch, title: title, keyNames: counting.keyNames, period: period)
      return try PictureRun.run(configuration, watch, on: terminal, showing: screen)
    }
    output.overflow = nil
    let outcome = try runOnce(configuration)
    let picture = counting.observer.picture(limit: limit ?? (context.isOldName ? .max : 100))
    let report = TopReport(picture, keyNames: counting.keyNames)
    let isOldForm = context.isOldName && by.isEmpty && !j
    if isOldForm, picture.floor > 0 {
      SpillwayCommand.complain(
        "there are more values than are kept apart: counts may be up to \(Int(picture.floor)) less than they are",
        as: Self.oldName)
    }
    try StandardOutput.write(j ? report.json : isOldForm ? report.varnishtop : report.text)
    return outcome
  }

  private func period(_ values: OptionValues) throws(UsageError) -> Double {
    guard let p else { return 60 }
    guard let number = Double(p), number.isFinite else {
      throw UsageError("Syntax error, \(p) is not a number")
    }
    return min(max(number, 1), 1e6)
  }

  private func counting(
    _ context: OptionContext, _ rules: [RecordRule], period: Double?
  ) throws -> Counting {
    var request = try OutputRequest.blank()
    request.side = OutputRequest.Side(client: selection.c, backend: selection.b)
    (request.includesESI, request.grouping) = (selection.esi, selection.g)
    var size = HeavyHitters.Options()
    if context.isOldName {
      size.capacity = 1 << 16
      size.keyBytesMax = Int(UInt16.max)
    }
    size.capacity = try context.values.number(keys, option: "--keys", in: 16...1 << 22) ?? size.capacity
    if by.isEmpty, context.isOldName || f || isRaw || !rules.isEmpty {
      size.keepsTimes = !context.isOldName || (!once && !j)
      return records(request, rules, context, size, period)
    }
    return try lines(request, rules, size, period)
  }

  /// Whether records are taken one by one, without grouping.
  private var isRaw: Bool {
    if case .raw? = try? OptionValues().grouping(selection.g) { true } else { false }
  }

  /// Counts records: the keys are tags with their values.
  private func records(
    _ request: OutputRequest, _ rules: [RecordRule], _ context: OptionContext, _ size: HeavyHitters.Options,
    _ period: Double?
  ) -> Counting {
    var options = RecordTopObserver.Options()
    options.rules = rules
    (options.client, options.backend, options.esi) = (selection.c, selection.b, selection.esi)
    options.takesFirstField = f
    options.isRaw = isRaw
    options.version = try? context.values.version(input.compat)
    let observer = RecordTopObserver(options, size, period: period)
    var request = request
    request.shown = .records
    // If only tags are chosen, no other records are needed except those that describe the transactions.
    if !rules.isEmpty, rules.allSatisfy({ $0.kind == .include }) {
      request.rules = rules + [RecordRule(.include, Array("Timestamp,ReqAcct,BereqAcct,VCL_call".utf8))]
    }
    return Counting(
      observer: observer, target: ObserverTarget(observer), request: request, keyNames: ["TAG", "VALUE"])
  }

  /// Counts lines of a format: the keys are fields of transactions.
  private func lines(
    _ request: OutputRequest, _ rules: [RecordRule], _ size: HeavyHitters.Options, _ period: Double?
  ) throws -> Counting {
    guard rules.allSatisfy({ $0.kind == .include }) else {
      throw UsageError("-I, -x and -X don't go with --by: a query chooses transactions (-q)")
    }
    if f { throw UsageError("-f doesn't go with --by") }
    let formats = (by.isEmpty && rules.isEmpty ? ["%{Host}i", "%U"] : by)
    let tags = rules.map { String(decoding: $0.text, as: UTF8.self) }
    let observer = LineTopObserver(size, period: period)
    var request = request
    request.shown = .lines
    let keys = formats.map(\.argumentBytes) + tags.map { Array("%{VSL:\($0)}x".utf8) }
    request.format.text = [String(decoding: LineTopObserver.format(keys), as: UTF8.self)]
    return Counting(
      observer: observer, target: ObserverTarget(observer), request: request, keyNames: formats + tags)
  }

  /// Checks each format alone, so that an error is about that format and not about all of them joined.
  private func checkFormats(_ configuration: Configuration) throws(UsageError) {
    for format in by {
      var configuration = configuration
      var output = OutputConfiguration()
      var formatting = OutputConfiguration.LineFormatting()
      formatting.format = .text(format.argumentBytes)
      output.shown = .lines(formatting)
      configuration.outputs = [output]
      if let mistake = configuration.check().first { throw UsageError("--by: \(mistake.error)") }
    }
  }

  /// Checks the rules for records before anything is read.
  private func check(_ rules: [RecordRule], _ configuration: Configuration) throws {
    guard !rules.isEmpty, by.isEmpty else { return }
    var configuration = configuration
    configuration.outputs[0].recordRules = rules
    if let mistake = configuration.check().first { throw mistake.error }
  }
}
