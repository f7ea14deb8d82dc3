import Checkpoints
import Shipping
import Spool
import VarnishLog

/// A run's checkpoint, and what an earlier run has left in it.
final class OpenedCheckpoint: Sendable {
  let file: CheckpointFile
  /// What the earlier run had read; empty if there was none, or it isn't known.
  let reading: ReadingStanding
  /// Whether the log still has what that run hadn't done.
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

  /// How an output of the earlier run stood; one that it didn't have begins where that run had come.
  func standing(of name: String) -> OutputStanding {
    guard var standing = earlier.standing(of: name, sinceBoot: boot) else {
      return OutputStanding(done: EntryMark(place: reading.through, ordinal: 0))
    }
    // Marks mean nothing without the logs that they are of.
    if reading.logs.isEmpty { (standing.done, standing.pending) = (.start, nil) }
    return standing
  }

  /// What is known of an output's file.
  func resumption(of name: String) -> FileResumption {
    FileResumption(
      standing(of: name), canRepeat: canRepeat, mayHaveGoneOn: earlier.mayHaveGoneOn(name, sinceBoot: boot))
  }

  /// From which mark on an output's entries come again; nil if none do.
  func repeatedFrom(_ standing: OutputStanding) -> EntryMark? {
    // What was complete where reading goes on is in front of that.
    canRepeat ? max(standing.done, EntryMark(place: reading.resumption, ordinal: .max)) : nil
  }

  /// Behind all places that the earlier run can have reached: it may have been killed before it noted the last.
  var endPlace: UInt64 {
    earlier.outputs.reduce(reading.through) { end, output in
      [output.standing.done.place, output.standing.pending?.done.place ?? 0].reduce(end, max)
    }
  }

  /// What an output notes from now on.
  ///
  /// - Parameters:
  ///   - standing: how it stands; as it was noted last, if nil.
  ///   - sequence: of the first entry of its spool.
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
