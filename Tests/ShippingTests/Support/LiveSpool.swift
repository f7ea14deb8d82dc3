@testable import Platform
@testable import Shipping
@testable import Spool
import Synchronization

/// A spool with its writer, its reader and its spiller, for as long as the object exists.
final class LiveSpool {
  let spool: Spool
  var writer: SpoolWriter
  var reader: SpoolReader
  var spiller: Spiller
  private let warnings: Collected<String>

  static let blockBytes = 4096

  init(memoryBlocks: Int, diskBytes: Int, in directory: String, _ system: SystemCalls = .real) throws {
    let warnings = Collected<String>()
    let disk = Spool.DiskOptions(directory: directory, limitBytes: diskBytes) { warnings.append($0) }
    spool = try Spool(
      Spool.Options(
        limitBytes: memoryBlocks * Self.blockBytes, blockBytes: Self.blockBytes, disk: disk),
      system: system)
    self.warnings = warnings
    writer = spool.makeWriter()
    reader = spool.makeReader()
    spiller = Spiller(spool, ThreadEnd())
  }

  /// How many lines of an earlier run were reported as lost.
  var lostCount: Int {
    warnings.all.filter {
      $0.hasSuffix(" of an earlier run are lost") || $0.hasSuffix(" of an earlier run is lost")
    }
    .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }.reduce(0, +)
  }

  /// - Returns: false if there was no room.
  func append(_ bytes: [UInt8]) -> Bool {
    guard case .room(let room) = writer.reserve(bytes.count) else { return false }
    room.copyBytes(from: bytes)
    writer.commit(bytes.count)
    return true
  }
}

/// Performs an action before the n-th system call from now; for use on a single thread.
final class CallHook: @unchecked Sendable {
  private var countdown = 0
  private var action: (() -> Void)?

  func arm(at call: Int, _ action: @escaping () -> Void) {
    countdown = call
    self.action = action
  }

  func disarm() { action = nil }

  var system: SystemCalls {
    SystemCalls { [self] _ in
      if let action {
        countdown -= 1
        if countdown <= 0 {
          // The action itself makes system calls.
          self.action = nil
          action()
        }
      }
      return nil
    }
  }
}
