import Checkpoints
import LogReading
import Platform
import VarnishLog

/// Opening the checkpoint, before the outputs that depend on it.
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
    for name in file.forget(allBut: Set(configuration.outputs.map(\.displayName))) {
      messages.say("\(path): \(name): is no output of this run, and how far it was is forgotten")
    }
  }

  /// Whether the log still holds a position, as far as can be told now.
  private mutating func holds(_ position: LogPosition) -> Bool {
    switch configuration.input.source {
    case .captured(let capture): return Self.capture(capture, configuration.input, holds: position)
    case .live(let log):
      guard var instance = try? findInstance(log) else { return false }
      instance.refresh()
      guard let ring = try? instance.attach(start: .at(position), stopsAtTail: false) else { return false }
      return ring.resumption == .held
    }
  }
}

extension RunControl {
  /// Whether a captured log holds a position; a log that can be read only once holds none.
  private static func capture(
    _ capture: Capture, _ input: InputConfiguration, holds position: LogPosition
  ) -> Bool {
    guard capture.inputs.count == 1, let path = capture.inputs.first, path != "-" else { return false }
    if case .success(let state) = FileState.of(path: path), !state.isRegularFile, !state.isDirectory {
      return false
    }
    do {
      switch try CapturedInput.find(path).open(CaptureOptions(capture, input)) {
      case .narrowFile(let records): return try holds(records, position)
      case .wideFile(let records): return try holds(records, position)
      case .file20(let records): return try holds(records, position)
      case .file21(let records): return try holds(records, position)
      case .file30(let records): return try holds(records, position)
      case .narrowImage(let records): return try holds(records, position)
      case .wideImage(let records): return try holds(records, position)
      case .image20(let records): return try holds(records, position)
      case .image21(let records): return try holds(records, position)
      case .image30(let records): return try holds(records, position)
      }
    } catch {
      return false
    }
  }

  private static func holds<Source: CapturedSource & ~Copyable>(
    _ source: consuming Source, _ position: LogPosition
  ) throws(LogError) -> Bool {
    var source = source
    return try source.resume(at: position) == .held
  }
}

extension ReadingStanding {
  /// The position from which the log must be read again, if that lies in the log that was read last.
  var startPosition: LogPosition? {
    guard let log = logs.last, start >= log.start else { return nil }
    return log.position(of: start)
  }
}
