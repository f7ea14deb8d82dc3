import Glibc
package import Platform
package import Spool

/// How a run stands at one moment, as its reading thread sees it.
package struct RunStatus: Sendable {
  /// The program's version.
  package var version: String
  /// When the run began.
  package var start: Moment
  /// When the reading thread has looked at it; nil if it hasn't yet.
  package var noted: Moment?
  /// How it stands with its log.
  package var log: LogStanding
  /// Bytes of records that were read, and of what was overwritten before.
  package var readBytes = 0, lostBytes = 0
  /// How fast the log is written, if it is a live one.
  package var writtenBytesPerSecond: Double?
  /// Its outputs.
  package var outputs: [Output] = []
  /// Outputs that reloads have ended.
  var ended = EndedOutputs()
  /// How many these are.
  package var endedOutputCount: Int { ended.count }
  /// What limits the process, in half a sentence; nil if nothing was asked for.
  var sandbox: String?

  /// An output.
  package struct Output: Sendable {
    /// What it does.
    package enum State: String, Sendable, CaseIterable {
      case running
      /// It isn't open, or has yet to be given what has waited for that.
      case opening
      /// It takes nothing more, and delivers what it has.
      case draining
      /// It has failed for good.
      case failed
      /// It has all that it was to take.
      case complete
    }

    /// A number that no other output of the run has.
    package let serial: Int
    /// What it is called.
    package var name: String
    /// What it does.
    package var state = State.running
    /// Why it has failed.
    var failure: String?
    /// How fast it gets entries.
    package var entriesPerSecond: Double?
    /// What waits; nil if there is no spool any more.
    package var spool: SpoolUsage?
    /// How much of that may be in memory, and on the disk.
    package var memoryBytesMax: Int?
    package var diskBytesMax: Int?
    /// When it was last handed an entry, in seconds since 1970.
    package var lastEntrySeconds: Int64?
    /// What has become of everything that it was to have.
    package var account: Ledger

    init(serial: Int, name: String, account: Ledger) {
      self.serial = serial
      self.name = name
      self.account = account
    }

    /// Notes how much the spool may take.
    mutating func setLimits(_ limits: (memoryBytes: Int, diskBytes: Int?)) {
      (memoryBytesMax, diskBytesMax) = (limits.memoryBytes, limits.diskBytes)
    }
  }

  /// How many seconds ago what is read now was written, if it was written as fast as the log is now.
  package var lagSeconds: Double? {
    guard let ring = log.ring else { return nil }
    if ring.lagBytes == 0 { return 0 }
    return seconds(for: ring.lagBytes)
  }

  /// How long it takes at the present rate until what is written now is overwritten.
  package var ringSeconds: Double? { log.ring.flatMap { seconds(for: $0.byteCount) } }

  private func seconds(for byteCount: Int) -> Double? {
    guard let rate = writtenBytesPerSecond, rate > 0 else { return nil }
    return Double(byteCount) / rate
  }

  /// How fast all outputs together get entries.
  var entriesPerSecond: Double { outputs.reduce(0) { $0 + ($1.entriesPerSecond ?? 0) } }

  /// One line for a service manager.
  var line: String {
    switch log.state {
    case .seeking: return "\(log.path): waits for a log"
    case .probing: return "\(log.path): waits for the log's first records"
    case .ending: return "\(log.path): ending; the outputs deliver what they have"
    case .reading:
      var line = "\(log.path): \(Int(entriesPerSecond.rounded())) lines/s"
      if let ring = log.ring { line += ", \(ByteText.short(ring.lagBytes)) behind" }
      if lostBytes > 0 { line += ", \(ByteText.short(lostBytes)) lost" }
      return line
    }
  }
}

/// Numbers of bytes for people.
enum ByteText {
  /// As in `12.3M`; to be read at a glance, not to be reckoned with.
  static func short(_ count: Int) -> String {
    guard count >= 1024 else { return "\(count)" }
    var value = Double(count) / 1024
    for unit in ["K", "M", "G", "T"] {
      if value < 1023.95 || unit == "T" {
        let tenths = (value * 10).rounded() / 10
        return (tenths >= 100 ? "\(Int(tenths.rounded()))" : "\(tenths)") + unit
      }
      value /= 1024
    }
    return "\(count)"
  }
}
