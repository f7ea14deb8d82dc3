import CShims
import Glibc

/// What a writer has done since its log was made.
public struct LogWriterStatistics: Sendable, Equatable {
  /// Records that were written.
  public internal(set) var records: UInt64 = 0
  /// Pieces in which the records were written: batches, and records by themselves.
  public internal(set) var writes: UInt64 = 0
  /// Pieces that were written before their transaction's end, because it was long.
  public internal(set) var flushes: UInt64 = 0
  /// How often a thread had to wait for another one that was stopped while it wrote in the turn before.
  public internal(set) var waits: UInt64 = 0
  /// How often the log was begun anew at its front.
  public internal(set) var cycles: UInt64 = 0
  /// Bytes of the log that were used, headers included.
  public internal(set) var bytes: UInt64 = 0
  /// Records whose text was cut.
  public internal(set) var truncations: UInt64 = 0
  /// Records that were left out because the log's numbering has no number for their tag.
  public internal(set) var skipped: UInt64 = 0
}

/// The writer's own counters where readers see them.
///
/// Only the holder of the writer's lock changes them, so a store each is enough.
@safe struct OwnCounters: @unchecked Sendable {
  // Sendable: the places are in shared memory, and only the lock's holder stores there.
  private let places: InlineArray<9, UnsafeMutableRawPointer>
  private let start = Self.now
  /// Keeps the memory of the counters.
  private let sets: [CounterSet]
  /// The uptime in the manager's set; this process is the manager as well.
  private let managerUptime: UnsafeMutableRawPointer
  private let nowhere: Nowhere

  /// A word that takes the value of a counter for which the log's format has no place.
  @safe private final class Nowhere {
    let word = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
    deinit { unsafe word.deallocate() }
  }

  /// Takes the places of the counters in a set, in the order of `descriptions`.
  ///
  /// - Parameter manager: the manager's set, if there is one, which begins with the time that it runs.
  init(_ set: CounterSet, indices: [Int?], manager: CounterSet? = nil) {
    let nowhere = Nowhere()
    unsafe places = InlineArray { index in
      unsafe indices[index].map { unsafe set.address(of: $0) } ?? nowhere.word
    }
    unsafe managerUptime = unsafe manager?.address(of: 0) ?? nowhere.word
    sets = [set] + [manager].compactMap { $0 }
    self.nowhere = nowhere
  }

  /// Shows the figures, and how long the log has been written.
  func show(_ figures: LogWriterStatistics) {
    let uptime = Self.now - start
    unsafe shim_store_u64(places[0], uptime)
    unsafe shim_store_u64(managerUptime, uptime)
    unsafe shim_store_u64(places[1], figures.records)
    unsafe shim_store_u64(places[2], figures.writes)
    unsafe shim_store_u64(places[3], figures.flushes)
    unsafe shim_store_u64(places[4], figures.waits)
    unsafe shim_store_u64(places[5], figures.cycles)
    unsafe shim_store_u64(places[6], figures.bytes)
    unsafe shim_store_u64(places[7], figures.truncations)
    unsafe shim_store_u64(places[8], figures.skipped)
  }

  private static var now: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return UInt64(time.tv_sec)
  }

  /// The descriptions of the set's counters, for logs that have descriptions.
  static let descriptions = [
    CounterDescription("uptime", "Seconds until the last record was written", format: .duration),
    CounterDescription("shm_records", "Records written", level: .diag),
    CounterDescription("shm_writes", "Batches and single records written", level: .diag),
    CounterDescription("shm_flushes", "Batches written before their transaction's end", level: .diag),
    CounterDescription("shm_cont", "Waits for a thread that was stopped while it wrote", level: .diag),
    CounterDescription("shm_cycles", "Turns of the log", level: .diag),
    CounterDescription("shm_bytes", "Bytes of the log used", format: .bytes, level: .diag),
    CounterDescription("shm_truncated", "Records whose text was cut", level: .diag),
    CounterDescription("shm_skipped", "Records left out for want of a tag number", level: .diag),
  ]

  /// The places of these counters in 3.0's fixed table of 98.
  static let placesIn30: [Int?] = [89, 61, 62, 63, 64, 65, nil, nil, nil]
  static let countIn30 = 98
}
