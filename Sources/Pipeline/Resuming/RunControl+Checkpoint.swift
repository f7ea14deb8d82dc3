import Checkpoints
import LogReading
import Platform
import VarnishLog

/// Opening the checkpoint, before the outputs that go on by it.
extension RunControl {
  /// Opens the checkpoint, if one was asked for.
  mutating func openCheckpoint() throws(RunError) {
    guard checkpoint == nil, let path = configuration.process.resume else { return }
    let file: CheckpointFile
    do throws(RunError) {
      file = try aside("opening \(path)") {
        Result { () throws(CheckpointError) in try CheckpointFile(path) }.mapError { .checkpoint($0) }
      }
    } catch {
      guard configuration.process.isResumeUsual, case .checkpoint = error else { throw error }
      return messages.say("\(error); the run goes on without a checkpoint")
    }
    for damage in file.damage { messages.say("\(path): \(damage)") }
    if file.earlier?.reading.logs.isEmpty ?? true, !file.damage.isEmpty {
      messages.say("\(path): begins anew: what earlier runs had done isn't known, and may be done again")
    }
    for case .lost(let part) in file.damage where part != CheckpointDamage.readingPart {
      messages.say("\(path): \(part): goes on where the run does; what it had still to write is lost")
    }
    let position = file.earlier?.reading.startPosition
    checkpoint = OpenedCheckpoint(file, canRepeat: position.map { holds($0) } ?? false)
    file.forget(allBut: Set(configuration.outputs.map(\.displayName)))
  }

  /// Whether the log has a position, as far as can be told now.
  private mutating func holds(_ position: LogPosition) -> Bool {
    switch configuration.input.source {
    case .file(let path): return Self.file(path, holds: position)
    case .live, .memoryFile:
      guard var instance = try? findInstance() else { return false }
      instance.refresh()
      guard let ring = try? instance.attach(start: .at(position), stopsAtTail: false) else { return false }
      return ring.resumption == .held
    }
  }
}

extension RunControl {
  /// Whether a file has a position; one that can be read only once has none.
  private static func file(_ path: String, holds position: LogPosition) -> Bool {
    guard case .success(let state) = FileState.of(path: path), state.isRegularFile,
      let file = try? LogFile(path: path)
    else { return false }
    switch file.kind {
    case .narrow: return holds(FileRecords<NarrowRecords>(file, assuming: nil), position)
    case .wide: return holds(FileRecords<WideRecords>(file, assuming: nil), position)
    case .old(.v20): return holds(LegacyFileRecords<Records20>(file), position)
    case .old(.v21): return holds(LegacyFileRecords<Records21>(file), position)
    case .old: return holds(LegacyFileRecords<Records30>(file), position)
    }
  }

  private static func holds<Source: LogFileSource & ~Copyable>(
    _ records: consuming Source, _ position: LogPosition
  ) -> Bool {
    var records = records
    do {
      try records.begin()
      return try records.resume(at: position) == .held
    } catch {
      return false
    }
  }
}

extension ReadingStanding {
  /// From where the log must be read again, if that is in the log that was read last.
  var startPosition: LogPosition? {
    guard let log = logs.last, start >= log.start else { return nil }
    return log.position(of: start)
  }
}
