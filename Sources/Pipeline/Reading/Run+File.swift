import LogReading
import Platform
import Transactions
import VarnishLog

/// Runs over a captured log.
extension Run {
  /// Reads a log to its end.
  mutating func read<Source: CapturedSource & ~Copyable>(
    _ source: inout Source, _ path: String
  ) throws(RunError) {
    var reading = try beginReading(Source.Layout.self, source.numbering, single: source.singleNumbering)
    reading.withholdsForced = source.beginsAnywhere
    attach(source.incarnation, at: source.nextPlace, overwritten: 0, &reading)
    standing.state = .reading
    source.includesUnattributed = reading.takesRecords
    source.pick(reading.wish, TagTable(source.numbering))
    do throws(LogError) {
      var chunksFrom: UInt64 = 0
      while !isEnding {
        if source.nextPlace >= chunksFrom {
          let (fault, orderedByteCount) = readChunks(&source, &reading)
          if let fault { try handle(fault, &source, &reading, path) }
          chunksFrom = source.nextPlace &+ orderedByteCount
        }
        let now = control.clock.now()
        begin(turnAt: now)
        for way in 0..<reading.groupers.count { reading.groupers[way].nowNanoseconds = now.steadyNanoseconds }
        let pause = try pump(&source, &reading)
        if case .idle = pause { standing.isIdle = true } else { standing.isIdle = false }
        keepCheckpoint(&reading, at: source.restartPlace, lagBytesMax: nil)
        lookAtOutputs()
        lookAtReload(&reading, from: &source)
        if handleCommands() { flush(&reading, from: &source) }
        if case .end = pause {
          flushSingles(at: source.nextPlace)
          break
        }
        try handle(pause, &source, &reading, path)
      }
    } catch {
      control.fail(error.description)
    }
    endCheckpoint(reading, at: source.restartPlace)
    end(&reading)
    report(source.account, path, salvages: source.salvages)
    report(incomplete: source.incompleteCount, path)
    guard !source.beginsAnywhere else { return }
    report(reading.strays, unknownTags: source.unknownTags, path: path, isDecoded: source.isDecoded)
  }

  /// Begins reading a file from where an earlier run stopped.
  ///
  /// - Returns: false if the file isn't the one that the earlier run read, and is to be opened anew.
  mutating func goOn<Source: CapturedSource & ~Copyable>(
    in source: inout Source, _ path: String
  ) throws(RunError) -> Bool {
    guard case .at(let position)? = checkpoint?.start else { return true }
    let resumption: LogResumption
    do {
      resumption = try source.resume(at: position)
    } catch {
      throw .log(error)
    }
    guard resumption == .noSuchPlace else { return true }
    control.messages.say("\(path): isn't what it was when it was read last; all of it is read")
    checkpoint?.forgetLog()
    return false
  }

  private mutating func handle<Source: CapturedSource & ~Copyable>(
    _ pause: Pause, _ source: inout Source, _ reading: inout Reading<Source.Layout>, _ path: String
  ) throws(LogError) {
    switch pause {
    case .busy, .overrun, .end: break
    case .idle:
      // Full blocks are published at once; the rest is published now, before a long wait.
      publish()
      _ = control.mailbox.wait(
        milliseconds: patienceMilliseconds(at: control.clock.now()), or: source.waitDescriptor)
    case .damaged(let error): throw error
    case .gap(let bytes):
      // Open transactions may lack records that were in the gap.
      for way in 0..<reading.groupers.count { reading.groupers[way].discardOpen() }
      if source.salvages {
        control.messages.say(GivenUp.place(bytes, of: path, isDecoded: source.isDecoded))
      }
    case .oversized(let vxid, let offset):
      throw .damaged(
        path: path, offset: offset, isDecoded: source.isDecoded,
        problem: "transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end")
    }
  }

  /// Finishes open transactions, and hands them on.
  mutating func flush<Source: LogSource & ~Copyable>(
    _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) {
    for way in 0..<reading.groupers.count { reading.groupers[way].flush() }
    takeFinished(&reading, from: &source)
  }

  /// Reports how much of a log couldn't be read, or wasn't.
  mutating func report(_ account: ImageAccount?, _ path: String, salvages: Bool) {
    guard let account else { return }
    if let summary = account.givenUp.summary(of: path) {
      countLost(account.givenUp.byteCount)
      control.messages.say(summary)
    }
    if let summary = account.summary(of: path, salvages: salvages) { control.messages.say(summary) }
  }

  /// Reports how many transactions couldn't be made of a log's records.
  mutating func report(incomplete count: Int, _ path: String) {
    guard count > 0 else { return }
    control.messages.say("\(path): " + LogError.incomplete(count))
  }

  /// Reports records with unknown tags, or pieces of transactions without a beginning in the file; either
  /// makes the run a failure.
  ///
  /// All that could be delivered has been.
  mutating func report(
    _ strays: StrayPieces, unknownTags: UnknownTags?, path: String, isDecoded: Bool
  ) {
    // If reading resumed inside the file, pieces whose beginning lies in front of that place aren't the
    // file's fault.
    guard input.reportsOrphans, !hasResumed else { return }
    if let unknownTags {
      control.fail(
        LogError.place(path, unknownTags.firstOffset, isDecoded: isDecoded)
          + ": a record of tag \(unknownTags.firstTag), which is not known (\(unknownTags.count) in all)")
    } else if strays.count > 0 {
      control.fail(
        LogError.place(path, strays.firstOffset, isDecoded: isDecoded)
          + ": records of transaction \(strays.firstVXID), which doesn't begin in this file "
          + "(\(strays.count) such pieces)")
    }
  }
}
