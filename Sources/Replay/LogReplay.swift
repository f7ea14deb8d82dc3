import Glibc
import LogReading
import LogWriting
import Platform
import VarnishLog

/// Plays captured logs into a live one.
public struct LogReplay: ~Copyable {
  private let options: ReplayOptions
  private let say: (String) -> Void
  /// Exists from the moment when the live log is made; before that, signals end the process as usual, even
  /// while it waits for input.
  private var interruption: Interruption?
  private var stage: Stage?
  private var report = ReplayReport()
  private var mustEnd = false
  /// Whether a captured log can't be read to its end, and therefore couldn't be in another pass.
  private var isDamaged = false
  private var renumbering: Renumbering

  /// Prepares to replay; nothing is created or read before `run`.
  ///
  /// - Parameters:
  ///   - options: what is replayed, and how.
  ///   - say: takes lines for the user.
  public init(_ options: ReplayOptions, say: @escaping (String) -> Void) {
    self.options = options
    self.say = say
    renumbering = Renumbering(isWanted: options.renumbers)
  }

  /// Plays until the end, or until a signal asks to stop.
  ///
  /// - Precondition: there is an input.
  /// - Throws: `ReplayError` if there was nothing to replay, or the live log can't be made. Damage after the
  ///   beginning of the first input, or in a later input, is passed to `say` and noted in the report instead.
  public consuming func run() throws(ReplayError) -> ReplayReport {
    for path in options.inputs {
      try requireElsewhere(path)
      if options.passes != 1 { try requireFile(path) }
    }
    repeat {
      report.passes += 1
      let before = report.records
      try playOnce()
      // The pass had no records, so another one wouldn't either.
      if report.records == before { break }
    } while !mustEnd && !isDamaged && options.passes.map { report.passes < $0 } ?? true
    say(report.description)
    linger()
    stage?.writer.close()
    return report
  }

  /// Refuses an input that the live log would overwrite.
  private func requireElsewhere(_ path: String) throws(ReplayError) {
    guard path != "-", let input = SystemCalls.real.realPath(path),
      let directory = SystemCalls.real.realPath(options.directory)
    else { return }
    // Only files with a server's file names are overwritten; other files in the directory stay.
    guard input == directory || input.hasPrefix(directory + "/_.") else { return }
    throw .inputInTheWay(path: path, directory: options.directory)
  }

  private func requireFile(_ path: String) throws(ReplayError) {
    guard path != "-" else { throw .notRepeatable(path: path) }
    // A missing file, and a file in an archive, are reported when they are opened.
    guard case .success(let state) = FileState.of(path: path), !state.isRegularFile, !state.isDirectory else {
      return
    }
    throw .notRepeatable(path: path)
  }

  // MARK: Inputs

  /// A captured log that was opened, or the reason why it can't be opened.
  private enum Opened: ~Copyable {
    case log(CapturedLog, path: String)
    case failed(LogError)
  }

  /// Opens all inputs before anything is written, so that no record is late because an input has to be opened.
  ///
  /// - Throws: `ReplayError.log` if an input can't be found, or the first one can't be opened.
  private func openAll() throws(ReplayError) -> FixedList<Opened?> {
    do throws(LogError) {
      var found = try FixedList<CapturedInput?>(count: options.inputs.count) { (index) throws(LogError) in
        try CapturedInput.find(options.inputs[index])
      }
      return try FixedList(count: found.count) { (index) throws(LogError) in
        guard let input = found[index].take() else { return nil }
        let path = input.path
        do throws(LogError) {
          return .log(try input.open(options.capture), path: path)
        } catch {
          guard index > 0 else { throw error }
          return .failed(error)
        }
      }
    } catch {
      throw .log(error)
    }
  }

  private mutating func fail(_ error: LogError) {
    report.isFaulty = true
    isDamaged = true
    say(error.description)
  }

  private mutating func playOnce() throws(ReplayError) {
    var opened = try openAll()
    let count = opened.count
    var inputs: [any PlayedInput] = []
    for index in 0..<count where !mustEnd {
      switch opened[index].take() {
      case .log(let log, let path)?:
        guard let input = try prepare(log, path, at: options.merges ? (index, count) : (0, 1)) else { return }
        inputs.append(input)
        if options.merges { continue }
        play(inputs)
        inputs = []
      case .failed(let error)?: fail(error)
      case nil: continue
      }
    }
    if options.merges { play(inputs) }
  }

  /// Prepares to play a log.
  ///
  /// - Parameter place: the log's index among those that are played side by side, and their number.
  /// - Returns: nil if the end was requested in the meantime.
  private mutating func prepare(
    _ log: consuming CapturedLog, _ path: String, at place: (index: Int, count: Int)
  ) throws(ReplayError) -> (any PlayedInput)? {
    switch consume log {
    case .narrowFile(let source): try prepare(source, path, at: place)
    case .wideFile(let source): try prepare(source, path, at: place)
    case .file20(let source): try prepare(source, path, at: place)
    case .file21(let source): try prepare(source, path, at: place)
    case .file30(let source): try prepare(source, path, at: place)
    case .narrowImage(let source): try prepare(source, path, at: place)
    case .wideImage(let source): try prepare(source, path, at: place)
    case .image20(let source): try prepare(source, path, at: place)
    case .image21(let source): try prepare(source, path, at: place)
    case .image30(let source): try prepare(source, path, at: place)
    }
  }

  private mutating func prepare<Source: CapturedSource & ~Copyable>(
    _ source: consuming Source, _ path: String, at place: (index: Int, count: Int)
  ) throws(ReplayError) -> (any PlayedInput)? {
    let numbering = source.numbering
    if stage == nil { stage = try open(try Conversion.numbering(for: numbering, options)) }
    guard let stage else { return nil }
    let conversion = Conversion(from: numbering, to: stage.numbering)
    let vxids = renumbering.mapping(conversion, isMade: Source.makesTransactions, place: place)
    let editor = PayloadEditor(
      numbering, vxids: vxids, timeShift: options.shiftsTimes ? stage.timeShift : nil,
      mayHaveMarks: numbering == .v40 || numbering == .v41)
    return PlayedSource(
      source, path, RunPlayer(stage.writer, numbering, conversion, editor: editor), to: stage.numbering,
      say: report.passes == 1 ? say : nil)
  }

  // MARK: Playing

  /// Plays logs side by side to their ends, in the order of their times.
  private mutating func play(_ inputs: [any PlayedInput]) {
    guard var stage else { return }
    stage.schedule.beginPass()
    let needsTimes = options.shiftsTimes || stage.schedule.needsRecordedTimes || inputs.count > 1
    var next = inputs.map { advance($0, needsTimes: needsTimes, inputs, stage) }
    while !mustEnd, let index = Self.earliest(next, inputs), let survey = next[index] {
      let now = SystemClock.steadyNanoseconds
      let due = stage.schedule.due(
        recorded: survey.recorded, endsTransaction: survey.endsTransaction, now: now)
      if due > now {
        guard wait(until: due, inputs, stage) else { break }
      } else {
        // Checking for a signal is a system call, so it isn't done for every unit.
        stage.runCount &+= 1
        if stage.runCount == 0 { handleSignals(inputs, stage) }
      }
      if options.shiftsTimes, let recorded = survey.recorded {
        // Rounded to microseconds, the precision of records, so that all times in them are shifted by the
        // same amount.
        stage.timeShift = (due + stage.wallOffset - recorded) / 1000 * 1000
      }
      inputs[index].play(timeShift: options.shiftsTimes ? stage.timeShift : nil)
      next[index] = advance(inputs[index], needsTimes: needsTimes, inputs, stage)
    }
    self.stage = stage
    renumbering.notePlayed(inputs.map(\.spanCount).max() ?? 0)
    note(inputs, stage)
    if report.passes == 1 { for input in inputs { reportOmissions(of: input) } }
  }

  /// Reads an input's next unit, waiting until there is one; nil at the end.
  private mutating func advance(
    _ input: any PlayedInput, needsTimes: Bool, _ inputs: [any PlayedInput], _ stage: Stage
  ) -> RunPlayer.Survey? {
    do throws(LogError) {
      while !mustEnd {
        switch try input.advance(needsTimes: needsTimes) {
        case .unit(let survey): return survey
        case .idle(let descriptor):
          interruption?.wait(for: descriptor)
          handleSignals(inputs, stage)
        case .end: return nil
        }
      }
    } catch {
      fail(error)
    }
    return nil
  }

  /// The input with the earliest time; of equal ones, the one that was given first.
  private static func earliest(_ next: [RunPlayer.Survey?], _ inputs: [any PlayedInput]) -> Int? {
    var earliest: Int?
    for index in next.indices where next[index] != nil {
      if let earliest, inputs[earliest].latest <= inputs[index].latest { continue }
      earliest = index
    }
    return earliest
  }

  private mutating func reportOmissions(of input: any PlayedInput) {
    let omission = input.omission
    for line in omission.lines { say(line) }
    if omission.isLoss { report.isIncomplete = true }
    if let fault = input.fault {
      report.isFaulty = true
      say(fault)
    }
  }

  // MARK: Beginning and end

  /// Makes the live log, and gives readers time to open it.
  ///
  /// - Returns: nil if the end was requested in the meantime.
  private mutating func open(_ numbering: TagNumbering) throws(ReplayError) -> Stage? {
    do throws(SystemError) {
      interruption = try Interruption()
    } catch {
      throw .system(error)
    }
    var writing = LogWriterOptions(.indexed(numbering))
    writing.logByteCount = options.logByteCount
    // Room for the longest record of a file, unless the live log is too small for such records.
    writing.textByteCountMax = min(RecordHeader.payloadByteCountMax - 1, options.logByteCount / 8 - 320)
    writing.batchByteCount = max(writing.batchByteCount, writing.textByteCountMax + 64)
    let writer: LogWriter
    do throws(LogWriterError) {
      writer = try LogWriter(directory: options.directory, options: writing)
    } catch {
      throw .writer(error)
    }
    say("the log is in \(options.directory)")
    pause(seconds: options.startDelaySeconds)
    guard !mustEnd else { return nil }
    return Stage(writer, numbering, options.pace)
  }

  /// Keeps the log there for a while, unless the end was requested.
  private mutating func linger() { if stage != nil { pause(seconds: options.lingerSeconds) } }

  private mutating func pause(seconds: Double) {
    let due = SystemClock.steadyNanoseconds + Int64(min(seconds, 1e9) * 1e9)
    while !mustEnd, SystemClock.steadyNanoseconds < due {
      interruption?.wait(until: due)
      while let request = interruption?.next() {
        if request == .end { mustEnd = true } else { say(report.description) }
      }
    }
  }

  // MARK: On the way

  /// Waits until a time.
  ///
  /// - Returns: false if the end was requested.
  private mutating func wait(until due: Int64, _ inputs: [any PlayedInput], _ stage: Stage) -> Bool {
    while !mustEnd, SystemClock.steadyNanoseconds < due {
      interruption?.wait(until: due)
      handleSignals(inputs, stage)
    }
    return !mustEnd
  }

  private mutating func handleSignals(_ inputs: [any PlayedInput], _ stage: Stage) {
    while let request = interruption?.next() {
      switch request {
      case .end: mustEnd = true
      case .report:
        note(inputs, stage)
        say(report.description)
      }
    }
  }

  /// Brings the report up to date.
  private mutating func note(_ inputs: [any PlayedInput], _ stage: Stage) {
    let figures = stage.writer.statistics
    for input in inputs { report.transactions += input.takeTransactions() }
    report.records = figures.records
    report.bytes = figures.bytes
    report.truncated = figures.truncations
    report.leftOut = figures.skipped
    report.nanoseconds = SystemClock.steadyNanoseconds - stage.start
  }
}
