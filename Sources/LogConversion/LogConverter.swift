import Glibc
public import LogReading
public import Platform
import Transactions
public import VarnishLog

/// Writes captured logs as one binary log of a generation.
///
/// Between logs that have transactions, records go over one by one in their order, those of no transaction included. A
/// log of 2.0 to 3.0 gets requests once they are complete, with all that belongs to them.
public struct LogConverter: ~Copyable {
  /// The outcome of a conversion.
  public struct Outcome: Sendable, Equatable {
    /// Whether an input couldn't be read to its end.
    public internal(set) var isFaulty = false
    /// Whether something couldn't be converted, apart from what logs of that generation never have.
    public internal(set) var isIncomplete = false
  }

  private let target: TagNumbering
  /// The file descriptor that is written to, and its name in messages.
  private let descriptor: Int32, name: String
  private let say: (String) -> Void
  private var bytes: [UInt8] = []
  private var hasBegun = false
  /// The outcome so far.
  public private(set) var outcome = Outcome()

  /// How much is collected before it is written.
  private static let pieceByteCount = 1 << 20

  /// Prepares to write.
  ///
  /// - Parameters:
  ///   - target: the numbering of the log that is written.
  ///   - descriptor: the file descriptor that it is written to; stays open.
  ///   - name: the name of the output in messages.
  ///   - say: is given lines for the user.
  public init(
    to target: TagNumbering, _ descriptor: Int32, named name: String, say: @escaping (String) -> Void
  ) {
    self.target = target
    self.descriptor = descriptor
    self.name = name
    self.say = say
  }

  /// Adds all of a log.
  ///
  /// - Parameter path: the log's name in messages.
  /// - Throws: `SystemError` if the output can't be written. A part that can't be read is reported, and noted
  ///   in the outcome.
  public mutating func add(_ log: consuming CapturedLog, _ path: String) throws(SystemError) {
    switch consume log {
    case .narrowFile(var source): try add(&source, path)
    case .wideFile(var source): try add(&source, path)
    case .file20(var source): try addOld(&source, path)
    case .file21(var source): try addOld(&source, path)
    case .file30(var source): try addOld(&source, path)
    case .narrowImage(var source): try add(&source, path)
    case .wideImage(var source): try add(&source, path)
    case .image20(var source): try addOld(&source, path)
    case .image21(var source): try addOld(&source, path)
    case .image30(var source): try addOld(&source, path)
    }
  }

  /// Reports that a log couldn't be opened.
  public mutating func fail(_ error: LogError) {
    say(error.description)
    outcome.isFaulty = true
  }

  /// Writes what has been collected and isn't written yet.
  public mutating func finish() throws(SystemError) {
    begin(GenerationTranslator(from: target, to: target).fileHeader)
    try write()
  }

  private mutating func begin(_ header: [UInt8]) {
    guard !hasBegun else { return }
    hasBegun = true
    bytes = header
  }

  // MARK: Logs

  private mutating func add<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ path: String
  ) throws(SystemError) {
    var translator = GenerationTranslator(from: source.numbering, to: target)
    begin(translator.fileHeader)
    // If transactions are made of a log, its single records have a numbering of their own.
    var singles = GenerationTranslator(from: source.singleNumbering ?? source.numbering, to: target)
    source.includesUnattributed = true
    if target.isOld {
      try addRequests(&source, path, &translator)
    } else {
      try read(&source, path) { (run, bytes) in
        var cursor = run.makeCursor()
        while let record = cursor.next() {
          if Source.makesTransactions, run.shape == .single {
            singles.append(unconnected: record, to: &bytes)
          } else {
            translator.append(record, to: &bytes)
          }
        }
      }
    }
    report(singles, path)
    report(translator, path)
    report(source, path)
  }

  /// Adds a log of 2.0 to 3.0: record by record if the output is of 2.0 to 3.0, else as the transactions that
  /// are made of it.
  private mutating func addOld<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ path: String
  ) throws(SystemError) {
    guard target.isOld, let numbering = source.singleNumbering else { return try add(&source, path) }
    var translator = GenerationTranslator(from: numbering, to: target)
    begin(translator.fileHeader)
    source.includesUnattributed = true
    try read(&source, path) { (run, bytes) in
      guard run.shape == .single else { return }
      var cursor = run.makeCursor()
      while let record = cursor.next() { translator.append(single: record, to: &bytes) }
    }
    report(translator, path)
    report(source, path)
  }

  private mutating func addRequests<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ path: String, _ translator: inout GenerationTranslator
  ) throws(SystemError) {
    var options = GroupingOptions(
      grouping: .request, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
    // How many transactions may be open is limited only by memory, and how many are open only by the log.
    options.openTransactionsMax = 100_000
    var grouper = Grouper<Source.Layout>(options: options, tags: TagTable(source.numbering))
    try read(&source, path) { (run, bytes) in
      if unsafe Source.Layout.vxid(run.start) == 0 {
        var cursor = run.makeCursor()
        while let record = cursor.next() { translator.append(record, to: &bytes) }
        return
      }
      translator.noteSessions(run)
      let hasGroups = Source.recordsStandAlone ? grouper.addEach(run) : grouper.add(run)
      guard hasGroups else { return }
      while let group = grouper.next() { translator.append(group, to: &bytes) }
    } gap: {
      grouper.discardOpen()
    }
    let unfinished = grouper.discardOpen()
    guard unfinished > 0 else { return }
    say("\(path): \(counted(unfinished, "transaction")) without an end left out")
    outcome.isIncomplete = true
  }

  /// Reads a log to its end, and writes what is made of it.
  private mutating func read<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ path: String, _ take: (RecordRun<Source.Layout>, inout [UInt8]) -> Void,
    gap: () -> Void = {}
  ) throws(SystemError) {
    while true {
      let step: SourceStep<Source.Layout>
      do {
        step = try source.next()
      } catch {
        return fail(error)
      }
      switch step {
      case .records(let run):
        take(run, &bytes)
        if bytes.count >= Self.pieceByteCount { try write() }
      case .gap(let bytes):
        gap()
        if source.salvages { say(GivenUp.place(bytes, of: path, isDecoded: source.isDecoded)) }
      case .idle: wait(for: source.waitDescriptor)
      case .damaged(let error): return fail(error)
      // No server overtakes the reader of a captured log.
      case .overrun: continue
      case .end: return
      }
    }
  }

  private func wait(for descriptor: Int32?) {
    guard let descriptor else { return }
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = retryingOnInterrupt { unsafe Int(poll(&request, 1, -1)) }
  }

  // MARK: What is left out

  private mutating func report<Source: CapturedSource & ~Copyable>(
    _ source: borrowing Source, _ path: String
  ) {
    if let summary = source.givenUp.summary(of: path) {
      say(summary)
      outcome.isIncomplete = true
    }
    if let summary = source.account?.summary(of: path, salvages: source.salvages) { say(summary) }
    if source.incompleteCount > 0 { say("\(path): " + LogError.incomplete(source.incompleteCount)) }
  }

  private func report(_ translator: borrowing GenerationTranslator, _ path: String) {
    let releases = target.releases
    for line in translator.untranslatedTransactions { say("\(path): \(line)") }
    for (tag, count) in translator.untranslated {
      say(
        "\(path): \(counted(count, "record")) of \(tag.name) left out: logs of \(releases) have no such tag")
    }
    if translator.unknownCount > 0 {
      say("\(path): \(counted(translator.unknownCount, "record")) left out, of tags that aren't known")
    }
    if translator.renumberedCount > 0 {
      say(
        "\(path): \(counted(translator.renumberedCount, "transaction")) renumbered: logs of \(releases) have no room "
          + "for larger numbers")
    }
  }

  // MARK: Writing

  private mutating func write() throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes[written...]
      let count = retryingOnInterrupt {
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      }
      guard count > 0 else { throw SystemError(operation: "write", path: name) }
      written += count
    }
    bytes.removeAll(keepingCapacity: true)
  }
}
