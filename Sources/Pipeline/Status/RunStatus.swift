import Glibc
package import Platform
package import Spool

/// The status of a run at one moment, as the reading thread sees it.
package struct RunStatus: Sendable {
  /// The program's version.
  package var version: String
  /// When the run began.
  package var start: Moment
  /// When the reading thread last updated the status; nil if it hasn't yet.
  package var noted: Moment?
  /// The state of reading the log.
  package var log: LogStanding
  /// Bytes of records that were read, and bytes of the log that were overwritten before they were read.
  package var readBytes = 0, lostBytes = 0
  /// How fast the log is written, if it is a live one.
  package var writtenBytesPerSecond: Double?
  /// The run's outputs.
  package var outputs: [Output] = []
  /// Outputs that reloads have ended.
  var ended = EndedOutputs()
  /// The number of outputs that reloads have ended.
  package var endedOutputCount: Int { ended.count }
  /// A summary of the sandbox; nil if none was asked for.
  var sandbox: String?

  /// An output.
  package struct Output: Sendable {
    /// What an output does.
    package enum State: String, Sendable, CaseIterable {
      case running
      /// It isn't open, or hasn't been given all entries that have waited for it.
      case opening
      /// It takes no more entries, and delivers those that it has.
      case draining
      /// It has failed for good.
      case failed
      /// It has all groups that it was to take.
      case complete
    }

    /// A number that no other output of the run has.
    package let serial: Int
    /// The output's name.
    package var name: String
    /// What the output does.
    package var state = State.running
    /// Why it has failed.
    var failure: String?
    /// How fast it gets entries.
    package var entriesPerSecond: Double?
    /// How full its spool is; nil if there is no spool any more.
    package var spool: SpoolUsage?
    /// How many bytes of entries may be in memory, and on the disk.
    package var memoryBytesMax: Int?
    package var diskBytesMax: Int?
    /// When it was last handed an entry, in seconds since 1970.
    package var lastEntrySeconds: Int64?
    /// The output's account.
    package var account: Ledger

    init(serial: Int, name: String, account: Ledger) {
      self.serial = serial
      self.name = name
      self.account = account
    }

    /// Notes how many bytes the spool may take.
    mutating func setLimits(_ limits: (memoryBytes: Int, diskBytes: Int?)) {
      (memoryBytesMax, diskBytesMax) = (limits.memoryBytes, limits.diskBytes)
    }
  }

  /// How many seconds ago the records that are read now were written, if the log was written then as fast as
  /// it is now.
  package var lagSeconds: Double? {
    guard let ring = log.ring else { return nil }
    if ring.lagBytes == 0 { return 0 }
    return seconds(for: ring.lagBytes)
  }

  /// How many seconds it takes at the present rate until records that are written now are overwritten.
  package var ringSeconds: Double? { log.ring.flatMap { seconds(for: $0.byteCount) } }

  private func seconds(for byteCount: Int) -> Double? {
    guard let rate = writtenBytesPerSecond, rate > 0 else { return nil }
    return Double(byteCount) / rate
  }

  /// The sum of the outputs' rates.
  var entriesPerSecond: Double { outputs.reduce(0) { $0 + ($1.entriesPerSecond ?? 0) } }

  /// One line for the service manager.
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

/// Short texts for numbers of bytes.
enum ByteText {
  /// As in `12.3M`: for people, too inexact to compute with.
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
