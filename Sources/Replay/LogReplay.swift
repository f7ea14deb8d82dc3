import Glibc
import LogReading
import LogWriting
import Platform
import VarnishLog

/// Plays a captured log into a live one.
public struct LogReplay: ~Copyable {
  private let options: ReplayOptions
  private let say: (String) -> Void
  /// There is one from the moment when there is a log; before that, signals end the process as usual, even
  /// one that waits for its input.
  private var interruption: Interruption?
  private var stage: Stage?
  private var report = ReplayReport()
  private var mustEnd = false
  /// Whether the captured log can't be read to its end, this time or another.
  private var isDamaged = false
  /// By how much numbers of transactions are moved in this pass.
  private var vxidDistance: UInt64

  /// Prepares; nothing is made or read before it runs.
  ///
  /// - Parameters:
  ///   - options: what is played, and how.
  ///   - say: is given lines for the user.
  public init(_ options: ReplayOptions, say: @escaping (String) -> Void) {
    self.options = options
    self.say = say
    // Half of the smaller range, by the time, so that the same log played again has other numbers.
    vxidDistance = options.renumbers ? UInt64(SystemClock.wallNanoseconds / 1_000_000) % (1 << 29) + 1 : 0
  }

  /// Plays until the end, or until a signal asks to stop.
  ///
  /// - Throws: `ReplayError` if there was nothing to play, or no log to play it into. What is damaged behind
  ///   its beginning is said, and is in the report.
  public consuming func run() throws(ReplayError) -> ReplayReport {
    if options.passes != 1 { try requireFile() }
    repeat {
      report.passes += 1
      let before = report.records
      try playOnce()
      // Nothing to repeat.
      if report.records == before { break }
    } while !mustEnd && !isDamaged && options.passes.map { report.passes < $0 } ?? true
    say(report.description)
    linger()
    stage?.writer.close()
    return report
  }

  private func requireFile() throws(ReplayError) {
    guard options.input != "-" else { throw .notRepeatable(path: "-") }
    // What isn't there is found out when it is opened.
    guard case .success(let identity) = FileState.of(path: options.input), !identity.isRegularFile else {
      return
    }
    throw .notRepeatable(path: options.input)
  }

  private mutating func playOnce() throws(ReplayError) {
    let file: LogFile
    do throws(LogError) {
      file = try LogFile(path: options.input, from: options.release)
    } catch {
      throw .log(error)
    }
    switch file.kind {
    case .narrow: try play(FileRecords<NarrowRecords>(file, assuming: nil, knowing: options.release), .narrow)
    case .wide: try play(FileRecords<WideRecords>(file, assuming: nil, knowing: options.release), .wide)
    case .old(.v20): try play(LegacyFileRecords<Records20>(file), .wide)
    case .old(.v21): try play(LegacyFileRecords<Records21>(file), .wide)
    case .old: try play(LegacyFileRecords<Records30>(file), .wide)
    }
  }

  private mutating func play<Source: LogFileSource & ~Copyable>(
    _ records: consuming Source, _ layout: LogLayout
  ) throws(ReplayError) {
    var source = records
    do throws(LogError) {
      try source.begin()
    } catch {
      throw .log(error)
    }
    // What belongs to no transaction is played, too, but not what transactions are made of.
    source.includesUnattributed = !Source.makesTransactions
    let target: TagNumbering
    if let stage {
      target = stage.numbering
    } else {
      target = try Conversion.numbering(for: source.numbering, options)
    }
    let conversion = Conversion(from: layout, source.numbering, to: target)
    if stage == nil { stage = try open(target) }
    guard var stage else { return }
    let renumbers = vxidDistance > 0 || conversion.narrows
    let editor = PayloadEditor(
      source.numbering,
      vxids: renumbers ? VXIDMapping(distance: vxidDistance, largest: conversion.largestVXID) : nil,
      timeShift: options.shiftsTimes ? stage.timeShift : nil, mayHaveMarks: layout == .narrow)
    var player = RunPlayer(stage.writer, source.numbering, conversion, editor: editor)
    stage.schedule.beginPass()
    do throws(LogError) {
      try play(&source, &player, &stage)
    } catch {
      report.isFaulty = true
      isDamaged = true
      say(error.description)
    }
    vxidDistance = (vxidDistance + player.span.count) % conversion.largestVXID
    self.stage = stage
    note(&player, stage)
    if report.passes == 1, let tags = source.unknownTags {
      report.isFaulty = true
      say(
        LogError.place(options.input, tags.firstOffset, isDecoded: source.isDecoded)
          + ": a record of tag \(tags.firstTag), which is not known (\(tags.count) in all)")
    }
  }

  private mutating func play<Source: LogFileSource & ~Copyable>(
    _ source: inout Source, _ player: inout RunPlayer, _ stage: inout Stage
  ) throws(LogError) {
    let needsTimes = options.shiftsTimes || stage.schedule.needsRecordedTimes
    while !mustEnd {
      switch try source.next() {
      case .records(let run):
        let survey = player.survey(run, needsTimes: needsTimes)
        let now = SystemClock.steadyNanoseconds
        let due = stage.schedule.due(
          recorded: survey.recorded, endsTransaction: survey.endsTransaction, now: now)
        if due > now {
          guard wait(until: due, &player, stage) else { return }
        } else {
          // To look for a signal is a system call.
          stage.runCount &+= 1
          if stage.runCount == 0 { handleSignals(&player, stage) }
        }
        if options.shiftsTimes, let recorded = survey.recorded {
          // To the microsecond, which is as exact as records are; then all times in them move alike.
          stage.timeShift = (due + stage.wallOffset - recorded) / 1000 * 1000
          player.editor.timeShift = stage.timeShift
        }
        player.play(run, survey)
      case .idle:
        interruption?.wait(for: source.waitDescriptor)
        handleSignals(&player, stage)
      case .end: return
      case .damaged(let error): throw error
      // Nobody overtakes the reader of a file.
      case .overrun: continue
      }
    }
  }

  // MARK: Beginning and end

  /// Makes the live log, and gives readers time to find it.
  ///
  /// - Returns: nil if the end was asked for meanwhile.
  private mutating func open(_ numbering: TagNumbering) throws(ReplayError) -> Stage? {
    do throws(SystemError) {
      interruption = try Interruption()
    } catch {
      throw .system(error)
    }
    var writing = LogWriterOptions(.indexed(numbering))
    writing.logByteCount = options.logByteCount
    // As long as any record of a file, if the log is large enough for such.
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

  /// Leaves the log there for a while, unless the end was asked for.
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

  /// Waits until something is due.
  ///
  /// - Returns: false if the end was asked for.
  private mutating func wait(until due: Int64, _ player: inout RunPlayer, _ stage: Stage) -> Bool {
    while !mustEnd, SystemClock.steadyNanoseconds < due {
      interruption?.wait(until: due)
      handleSignals(&player, stage)
    }
    return !mustEnd
  }

  private mutating func handleSignals(_ player: inout RunPlayer, _ stage: Stage) {
    while let request = interruption?.next() {
      switch request {
      case .end: mustEnd = true
      case .report:
        note(&player, stage)
        say(report.description)
      }
    }
  }

  /// Brings the report up to date.
  private mutating func note(_ player: inout RunPlayer, _ stage: Stage) {
    let figures = stage.writer.statistics
    report.transactions += player.takeTransactions()
    report.records = figures.records
    report.bytes = figures.bytes
    report.truncated = figures.truncations
    report.leftOut = figures.skipped
    report.nanoseconds = SystemClock.steadyNanoseconds - stage.start
  }
}
