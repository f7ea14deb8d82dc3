import Checkpoints
import Compression
import Glibc
import Platform
import Shipping
import Spool
import Synchronization

/// One run with all its settings.
struct ProbeRun {
  private let settings: [String: String]
  /// The format of entries, if they aren't lines.
  private let records: BinaryContent?

  init(_ settings: [String: String]) {
    self.settings = settings
    records = settings["records"].map { _ in BinaryContent(ProbeRecords()) }
  }

  private func number(_ name: String) -> Int? { settings[name].flatMap { Int($0) } }

  private var options: FileOptions {
    var options = FileOptions(path: settings["file"] ?? "")
    options.compression = number("gzip").map { .gzip(level: $0) } ?? number("zstd").map { .zstd(level: $0) }
    options.rotateBytes = number("rotate-size")
    options.rotateEverySeconds = number("rotate-every")
    if let header = settings["header"] { options.content = .lines(header: Array((header + "\n").utf8)) }
    if let records { options.content = .records(records) }
    options.sync = settings["sync"].flatMap { try? SyncPolicy($0) }
    return options
  }

  /// Writes all entries that aren't done, and ends.
  func run() throws {
    let checkpoint = try CheckpointFile(settings["checkpoint"] ?? "")
    let warn: @Sendable (String) -> Void = { complain("\($0)") }
    let earlier = checkpoint.earlier?.standing(of: "file", sinceBoot: CheckpointFile.presentBoot)
    let system = CallCounter(dyingAt: number("die-at")).system
    let clock = SteppingClock(startSeconds: number("start") ?? 0)
    let sink = try FileSink.open(
      options, resuming: FileResumption(earlier ?? OutputStanding(), canRepeat: true), at: clock.now(),
      system: system, warn: warn)
    let standing = sink.resumed ?? OutputStanding()
    var output = Output.Options(triesAgain: true, clock: { clock.now() }, warn: warn)
    output.journal = OutputJournal(try checkpoint.makeOutputPart("file"), from: standing, startingAt: 0)
    let running = try Output(to: sink, spool: Spool.Options(blockBytes: 16 << 10), options: output)
    offer(from: standing.done, to: running)
    let report = running.join(drainSeconds: 60)
    guard report.failure == nil, report.undelivered == .zero else {
      complain("not everything was delivered")
      exit(1)
    }
  }

  /// Offers the entries that aren't done, a few at a time, each time waiting until those are accepted.
  private func offer(from done: EntryMark, to output: Output) {
    var writer = output.makeWriter()
    _ = records?.begin(ProbeRecords.kind)
    let batchCount = number("publish") ?? 37
    var sequence = output.progress.acceptedThrough
    for index in 0..<(number("entries") ?? 0) {
      let mark = EntryMark(place: UInt64(index / 3 + 1), ordinal: UInt32(index % 3))
      guard mark >= done else { continue }
      let entry = records == nil ? Array(Self.line(index).utf8) : ProbeRecords.entry(index)
      guard case .room(let room) = writer.reserve(entry.count) else { continue }
      room.copyBytes(from: entry)
      writer.commit(entry.count, mark)
      sequence += 1
      guard sequence % batchCount == 0 else { continue }
      writer.publish()
      while output.progress.acceptedThrough < sequence { usleep(20) }
    }
    writer.finish()
  }

  /// An entry that compression doesn't make much shorter.
  private static func line(_ index: Int) -> String {
    var text = "\(index)"
    var mixed = UInt64(index) &* 0x9e37_79b9_7f4a_7c15
    for _ in 0...(index % 7) {
      mixed = (mixed ^ (mixed >> 29)) &* 0xbf58_476d_1ce4_e5b9
      text += " " + String(mixed, radix: 36)
    }
    return text + "\n"
  }
}

/// Kills the process at a system call of the sink, in the middle of the call if that is a write.
private final class CallCounter: Sendable {
  private let left: Atomic<Int>

  init(dyingAt call: Int?) { left = Atomic(call ?? .max) }

  var system: SystemCalls {
    SystemCalls { [self] call in
      let left = left.subtract(1, ordering: .relaxed).newValue
      if left > 0 { return nil }
      if left == 0, call == .write { return .short(7) }
      kill(getpid(), SIGKILL)
      return nil
    }
  }
}

/// A clock that advances by a twentieth of a second with each reading, so that timed events happen soon.
private final class SteppingClock: Sendable {
  private static let stepsPerSecond: Int64 = 20
  private let startSeconds: Int64
  private let step = Atomic<Int64>(0)

  init(startSeconds: Int) { self.startSeconds = Int64(startSeconds) }

  func now() -> Moment {
    let step = step.add(1, ordering: .relaxed).newValue
    return Moment(
      wallSeconds: startSeconds + step / Self.stepsPerSecond,
      steadyNanoseconds: step * (1_000_000_000 / Self.stepsPerSecond))
  }
}
