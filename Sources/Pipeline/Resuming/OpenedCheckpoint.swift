import Checkpoints
import Shipping
import Spool
import VarnishLog

/// A run's checkpoint, and what an earlier run has left in it.
final class OpenedCheckpoint: Sendable {
  let file: CheckpointFile
  /// What the earlier run had read; empty if there was no such run, or its reading isn't known.
  let reading: ReadingStanding
  /// Whether the log still holds what the earlier run hadn't done.
  let canRepeat: Bool
  private let earlier: Checkpoint
  private let boot: String?

  /// Takes over a checkpoint.
  init(_ file: CheckpointFile, canRepeat: Bool) {
    self.file = file
    self.canRepeat = canRepeat
    boot = CheckpointFile.presentBoot
    earlier = file.earlier ?? Checkpoint()
    reading = earlier.reading
  }

  /// The outputs of the earlier run.
  var outputNames: [String] { earlier.outputs.map(\.name) }

  /// How an output of the earlier run stood; an output that is new begins where that run stopped reading.
  func standing(of name: String) -> OutputStanding {
    guard var standing = earlier.standing(of: name, sinceBoot: boot) else {
      return OutputStanding(done: EntryMark(place: reading.through, ordinal: 0))
    }
    // Marks mean nothing without the logs to which they belong.
    if reading.logs.isEmpty { (standing.done, standing.pending) = (.start, nil) }
    return standing
  }

  /// How to go on with an output's file.
  func resumption(of name: String) -> FileResumption {
    FileResumption(
      standing(of: name), canRepeat: canRepeat, mayHaveGoneOn: earlier.mayHaveGoneOn(name, sinceBoot: boot))
  }

  /// The mark from which on an output's entries are made again; nil if none are.
  func repeatedFrom(_ standing: OutputStanding) -> EntryMark? {
    // Entries that were complete at the resumption lie in front of this mark.
    canRepeat ? max(standing.done, EntryMark(place: reading.resumption, ordinal: .max)) : nil
  }

  /// A place behind everything that the earlier run can have reached: it may have been killed before it noted
  /// its last place.
  var endPlace: UInt64 {
    earlier.outputs.reduce(reading.through) { end, output in
      [output.standing.done.place, output.standing.pending?.done.place ?? 0].reduce(end, max)
    }
  }

  /// Makes the journal in which an output notes how far it is.
  ///
  /// - Parameters:
  ///   - standing: how the output stands; nil is as it was noted last.
  ///   - sequence: the sequence of the first entry in its spool.
  func makeJournal(
    _ name: String, from standing: OutputStanding?, startingAt sequence: Int
  ) throws(RunError) -> OutputJournal {
    do {
      let part = try file.makeOutputPart(name)
      return OutputJournal(part, from: standing ?? part.standing ?? OutputStanding(), startingAt: sequence)
    } catch {
      throw .checkpoint(error)
    }
  }
}
