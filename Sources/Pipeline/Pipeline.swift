import Glibc
import LogQuery
import Platform
import Rendering
import Shipping
import Spool
import Transactions
import VarnishLog

/// One run: a source, the grouping, an output, from the opening to the last line.
///
/// ```
/// LogSource ─▶ Grouper ─▶ Lane (select, render) ─▶ Spool ─▶ writer thread ─▶ Sink
/// ```
///
/// Everything up to the spool happens on the thread that calls `run`, which never waits for the output,
/// unless the source is a file and so can wait.
public struct Pipeline: ~Copyable {
  let options: PipelineOptions
  var signals: SignalQueue
  let messages: Messages
  /// What this thread has counted; `account` adds the rest.
  var accounting = Accounting()
  /// How many transactions the present grouper has sorted out; `accounting` takes them over when it ends.
  var sortedOutCount = 0
  var output: Output?
  var lane: Lane?
  var query: Query?
  /// What picks out at once the records that query and lines depend on; nil if there is no query, or if
  /// whole groups are shown.
  var captures: RecordCaptures?
  var rateLimiter: RateLimiter?
  var laneNumbering: TagNumbering?
  /// Whether groups are shown as a whole, or even every record by itself.
  let takesGroups: Bool, takesRecordsSingly: Bool
  /// Whether there is nothing to ask of a record before it is shown.
  let takesEveryRecord: Bool
  /// What the output must know of the records it is given, if they are records.
  let binaryContent: BinaryContent?
  /// Whether the run was told to end, or has done what it was told to do.
  var isEnding = false
  /// Whether it was a signal that said so; then the output is given only so much time.
  var isInterrupted = false
  /// How many more groups are to be taken.
  var groupsLeft: Int
  /// Whether the source is held back when the spool is full.
  private(set) var waitsForRoom = false
  /// Set once by whatever makes the run end with a status of its own.
  var status = ExitStatus.success
  /// What is still to be told to the process that has started this one; nil in the foreground.
  private var daemon: Daemon?
  /// There from the start to the end of the run, if it was asked for.
  private var pidFile: PIDFile?

  private init(_ options: PipelineOptions) throws(RunError) {
    self.options = options
    takesGroups = options.groupForm != nil
    takesRecordsSingly = options.takesRecordsSingly
    takesEveryRecord =
      options.queries.isEmpty && options.rateLimit == nil && options.groupsMax == nil
    binaryContent =
      options.groupForm == .records ? BinaryLogFile.content() : nil
    groupsLeft = options.groupsMax ?? .max
    rateLimiter = options.rateLimit.map { RateLimiter($0, at: Moment.now().steadyNanoseconds) }
    messages = Messages(programName: options.programName, listener: options.monitor?.say)
    do {
      signals = try SignalQueue()
    } catch {
      throw .system(error)
    }
    tzset()
  }

  /// Carries records from the input to the output until one of them ends.
  ///
  /// - Returns: the status to exit with.
  /// - Throws: `RunError` if it could not begin.
  public static func run(_ options: PipelineOptions) throws(RunError) -> Int32 {
    var pipeline = try Pipeline(options)
    try pipeline.check()
    try pipeline.detach()
    let sink = try pipeline.openSink()
    switch options.input {
    case .file(let path): try pipeline.runFile(path, sink)
    case .live(let name): try pipeline.runLive(name, sink)
    }
    return pipeline.status
  }

  // MARK: Setting up

  /// Whether the run goes on for as long as nobody ends it.
  private var followsLog: Bool {
    guard case .live = options.input else { return false }
    return !options.existingOnly
  }

  /// A source that waits needs no more room than keeps both threads busy, in blocks large enough that waking
  /// the other thread is rare.
  private static let waitingSpoolBytes = 8 << 20
  private static let waitingBlockBytes = 1 << 20

  /// The rules that go with a log, or those insisted on.
  func rules(for numbering: TagNumbering) -> NCSARules {
    if let version = options.compatibility { return NCSARules(version, isStrict: true) }
    return .natural(for: numbering)
  }

  func format(for numbering: TagNumbering) throws(RunError) -> LineFormat {
    let rules = rules(for: numbering)
    do {
      switch options.format {
      case .text(let text):
        return try LineFormat(
          text, rules: rules, isJSON: options.isJSON, keepsBytes: options.keepsJSONBytes)
      case .template(let template): return try template.lineFormat(rules: rules)
      }
    } catch {
      throw .format(error)
    }
  }

  /// What shows groups of a log.
  func groupRenderer(for numbering: TagNumbering) throws(RunError) -> GroupRenderer {
    let rules = rules(for: numbering)
    let tags = TagTable(numbering)
    let form = options.groupForm ?? .text(isVerbose: false)
    do {
      let filter = try RecordFilter(
        options.recordRules, version: rules.version, isStrict: rules.isStrict, tags: tags,
        alwaysShown: form == .records ? GroupRenderer.structuralTags(tags) : TagSet())
      return GroupRenderer(
        form, sides: sides(rules), filter: filter, tags: tags, version: rules.version,
        isForTerminal: isOutputTerminal)
    } catch {
      throw .recordRule(error)
    }
  }

  private var isOutputTerminal: Bool {
    if case .standardOutput = options.target { isatty(STDOUT_FILENO) == 1 } else { false }
  }

  private func sides(_ rules: NCSARules) -> SideSelection {
    SideSelection(
      client: options.client, backend: options.backend, esi: options.esi, rules: rules)
  }

  /// Finds a mistake in format, queries and rules before anything is opened.
  ///
  /// What depends on the log alone is found when the log is known; what no log makes right is refused now.
  private func check() throws(RunError) {
    try checkForSome { (numbering) throws(RunError) in
      if takesGroups { _ = try groupRenderer(for: numbering) } else { _ = try format(for: numbering) }
    }
    try checkForSome { (numbering) throws(RunError) in _ = try compileQuery(for: numbering) }
  }

  private func checkForSome(_ compile: (TagNumbering) throws(RunError) -> Void) throws(RunError) {
    var first: RunError?
    for numbering in [TagNumbering.v41, .v73, .v90] {
      do throws(RunError) {
        return try compile(numbering)
      } catch {
        first = first ?? error
      }
    }
    if let first { throw first }
  }

  /// The queries, for a log; nil if there are none.
  func compileQuery(for numbering: TagNumbering) throws(RunError) -> Query? {
    guard !options.queries.isEmpty else { return nil }
    let rules = rules(for: numbering)
    do {
      return try Query(
        bytes: options.queries, caseless: options.queriesAreCaseless, version: rules.version,
        isStrict: rules.isStrict, tags: TagTable(numbering))
    } catch {
      throw .query(error)
    }
  }

  /// Goes into the background, if asked.
  ///
  /// Before anything is opened or started: neither threads nor children would survive it.
  private mutating func detach() throws(RunError) {
    guard options.daemonizes else { return }
    do {
      daemon = try Daemon.detach(as: options.programName)
    } catch {
      throw .system(error)
    }
  }

  /// Does what may hang with a file system; once a signal ends the run, not for long.
  ///
  /// - Parameters:
  ///   - what: what it is, for the message: "opening the output".
  ///   - patienceSeconds: how long it may take after such a signal; as long as delivering may, if nil.
  /// - Throws: `RunError.interruptedWhile` if it takes longer; what hangs is left behind.
  mutating func aside<Value: ~Copyable>(
    _ what: String, patienceSeconds: Double? = nil,
    _ work: sending @escaping () -> sending Result<Value, RunError>
  ) throws(RunError) -> sending Value {
    let result = Aside.run(
      whileWatching: signals.descriptor,
      goesOn: {
        // An answer to anything else would look as if the log were being followed already.
        if signals.takeEnds(where: { $0 == .end || ($0 == .hangup && options.hangup == .end) }) {
          interrupt()
        }
        return !isEnding
      }, patience: Int64(min(patienceSeconds ?? options.drainSeconds, 1e9) * 1e9),
      isHurried: isEnding, work)
    guard let result else { throw .interruptedWhile(what) }
    return try result.get()
  }

  private mutating func openSink() throws(RunError) -> sending any Sink {
    let (options, binaryContent, messages) = (options, binaryContent, messages)
    return try aside("opening the output") {
      Result { () throws(RunError) in try Self.openSink(options, binaryContent, messages) }
    }
  }

  private static func openSink(
    _ options: PipelineOptions, _ binaryContent: BinaryContent?, _ messages: Messages
  ) throws(RunError) -> sending any Sink {
    do {
      var header: [UInt8] = []
      if case .template(let template) = options.format {
        header = Array(template.headerLines.joined(separator: [UInt8(ascii: "\n")]))
        if !header.isEmpty { header.append(UInt8(ascii: "\n")) }
      }
      switch options.target {
      case .standardOutput:
        return try StreamSink.standardOutput(header: header, binary: binaryContent)
      case .file(var file):
        file.header = header
        file.binary = binaryContent
        file.keepsUnsettled = options.spoolDirectory != nil
        return try FileSink.open(file) { messages.say($0) }
      case .command(let command, let onRestart):
        return LinkSink.exec(command, linkOptions(header, binaryContent, onRestart)) { messages.say($0) }
      case .socket(let receiver, let onRestart):
        var links = linkOptions(header, binaryContent, onRestart)
        links.framing = receiver.framing
        return LinkSink.socket(receiver.address, links) { messages.say($0) }
      case .descriptor(let descriptor, let name):
        return try StreamSink(descriptor: descriptor, name: name, header: header)
      }
    } catch {
      throw .output(error)
    }
  }

  private static func linkOptions(
    _ header: [UInt8], _ binaryContent: BinaryContent?, _ onRestart: RestartPolicy
  ) -> LinkOptions {
    var options = LinkOptions()
    options.onRestart = onRestart
    options.header = header
    options.binary = binaryContent
    return options
  }

  /// Takes the process number's file, and starts the output's thread.
  ///
  /// - Parameter canWait: whether the source loses nothing by being held back.
  mutating func start(_ sink: sending any Sink, canWait: Bool) throws(RunError) {
    waitsForRoom = canWait && options.overflow != .drop
    if let path = options.pidFile {
      pidFile = try aside("making \(path)") {
        Result { () throws(PIDFileError) in try PIDFile(path: path) }.mapError { .pidFile($0) }
      }
    }
    if let memory = MachineLimits.current.memoryBytes, options.spoolBytes > memory {
      messages.say(
        "--spool-memory: \(options.spoolBytes) bytes are more than the \(memory) of this machine or container"
      )
    }
    let spool = spoolOptions
    let made = try aside("looking through the spool") {
      Result { () throws(SpoolError) in try Spool(spool) }.mapError { .spool($0) }
    }
    do {
      output = try Output(
        to: sink, spool: made,
        options: Output.Options(triesAgain: followsLog, warn: { [messages] in messages.say($0) }))
    } catch {
      throw .spool(error)
    }
  }

  /// Says that the run has begun, to the process that has started this one in the background, if there is one.
  mutating func announceReady() {
    do {
      try daemon.take()?.announceReady()
    } catch {
      messages.say(error.description)
      status = ExitStatus.failure
      isEnding = true
    }
  }

  private var spoolOptions: Spool.Options {
    var spool = Spool.Options(
      limitBytes: options.spoolBytes, overflow: waitsForRoom ? .block : .drop,
      interruptDescriptor: signals.descriptor)
    if let directory = options.spoolDirectory {
      spool.disk = Spool.DiskOptions(
        directory: directory, limitBytes: options.spoolDiskBytes, content: binaryContent
      ) { [messages] in messages.say($0) }
    } else if waitsForRoom {
      spool.limitBytes = min(spool.limitBytes, Self.waitingSpoolBytes)
      spool.blockBytes = Self.waitingBlockBytes
    }
    return spool
  }

  /// Makes the lane fit a log's tags.
  mutating func prepareLane(for numbering: TagNumbering) throws(RunError) {
    guard let output, laneNumbering != numbering else { return }
    if takesGroups {
      let renderer = try groupRenderer(for: numbering)
      if lane == nil {
        lane = Lane(renderer, writer: output.makeWriter())
      } else {
        lane?.change(to: renderer)
      }
    } else {
      let renderer = LineRenderer(try format(for: numbering), tags: TagTable(numbering))
      if lane == nil {
        lane = Lane(
          Selection(options, rules: rules(for: numbering)), renderer: renderer,
          writer: output.makeWriter())
      } else {
        lane?.change(to: renderer)
      }
    }
    query = try compileQuery(for: numbering)
    prepareCaptures()
    laneNumbering = numbering
  }

  private mutating func prepareCaptures() {
    captures = nil
    guard !takesGroups, let line = lane?.neededTags, let tags = query?.neededTags else { return }
    captures = RecordCaptures(query: tags, line: line)
  }

  func groupingOptions(for numbering: TagNumbering) -> GroupingOptions {
    let rules = rules(for: numbering)
    var grouping = takesGroups ? groupingOfSides(rules) : groupingOfLines(rules)
    grouping.openTransactionsMax = options.openTransactionsMax
    grouping.timeoutNanoseconds = Int64(min(options.timeoutSeconds, 1e9) * 1e9)
    switch lane {
    case .some(let lane): grouping.keptTags = lane.neededTags
    case nil: break
    }
    switch query {
    case .some(let query): grouping.keptTags.formUnion(query.neededTags)
    case nil: break
    }
    return grouping
  }

  /// Lines are of one side at least, so something can always be ruled out.
  private func groupingOfLines(_ rules: NCSARules) -> GroupingOptions {
    let selection = Selection(options, rules: rules)
    return GroupingOptions(
      grouping: options.grouping, candidateRule: rules.candidateRule, wantsClient: selection.client,
      wantsBackend: selection.backend, wantsESI: selection.esi)
  }

  /// Up to 7.2, transactions are ruled out by side only if a side is asked for.
  private func groupingOfSides(_ rules: NCSARules) -> GroupingOptions {
    let sides = sides(rules)
    var rule = rules.candidateRule
    if rule == .bySide, sides.isOpen, options.grouping == .vxid { rule = .everything }
    return GroupingOptions(
      grouping: options.grouping, candidateRule: rule, wantsClient: sides.client,
      wantsBackend: sides.backend, wantsESI: sides.esi)
  }

  // MARK: Accounting

  /// Notes how many of those that were seen the grouper has sorted out so far.
  mutating func note(_ statistics: GroupingStatistics) {
    sortedOutCount = statistics.ruledOut + (takesGroups ? statistics.discardedGroups : statistics.discarded)
  }

  /// Takes over what a grouper that has ended has sorted out.
  mutating func count(_ statistics: GroupingStatistics) {
    note(statistics)
    accounting.filtered += sortedOutCount
    sortedOutCount = 0
  }

  /// What has become of everything, at any moment.
  ///
  /// - Parameters:
  ///   - report: the output's numbers; asked for if not given.
  ///   - isFinal: whether the output has ended, so that what is not delivered never will be.
  func account(_ report: OutputReport? = nil, isFinal: Bool = false) -> Accounting {
    var account = accounting
    account.filtered += sortedOutCount
    if let report = report ?? output?.report { account.note(report, isFinal: isFinal) }
    return account
  }

  // MARK: Ending

  /// Lets the output finish what it has, and says how everything ended.
  mutating func finish() {
    lane?.finish()
    output?.finish()
    options.monitor?.noteEnding()
    guard let output else { return }
    // A run that came to its end by itself waits for its output; a signal sets a limit to that.
    while !isInterrupted, !output.waitForEnd(or: signals.descriptor) { handleSignals() }
    let report = output.join(drainSeconds: isInterrupted ? options.drainSeconds : .infinity)
    let account = account(report, isFinal: true)
    options.monitor?.note(account)
    if let failure = report.failure {
      messages.say(failure.description)
      status = ExitStatus.outputFailed
    } else if status == ExitStatus.success, !account.isComplete {
      status = ExitStatus.incomplete
    }
    if options.showsAccounting { messages.say(account.description) }
    assert(account.isSettled)
  }
}

/// Lines for whoever runs the program: on standard error with the program's name in front, or in the
/// system's log once it has gone into the background; or for a program that embeds the run to show.
struct Messages: Sendable {
  let programName: String
  let listener: (@Sendable (String) -> Void)?

  /// Says one line, whatever names there are in it.
  func say(_ text: String) {
    let text = VisibleText.oneLine(text)
    if let listener { listener(text) } else { MessageQueue.shared.say(text, as: programName) }
  }
}
