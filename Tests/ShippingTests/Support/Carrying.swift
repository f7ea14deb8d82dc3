import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The result of carrying lines to a sink that was called again after every failure.
struct Carried {
  var failures: [SystemError] = []
  var taken = Tally.zero
  var isClosed = false
}

extension Sink {
  /// Does the work of a writer thread that tries again, without its pauses: offers lines until all are taken
  /// and the sink is closed.
  ///
  /// - Parameters:
  ///   - stepSeconds: How much time each turn takes.
  ///   - failuresMax: How many failures end the attempt.
  ///   - beforeTurn: Called before each turn with its number, from 0.
  func carry(
    _ lines: [String], from start: Moment = .test, stepSeconds: Double = 0, failuresMax: Int = 50,
    beforeTurn: (Int) -> Void = { _ in }
  ) throws -> Carried {
    var options = Spool.Options()
    options.blockBytes = 1024
    let spool = try Spool(options)
    var writer = spool.makeWriter()
    for line in lines { writer.append(line) }
    writer.finish()
    var reader = spool.makeReader()
    var carried = Carried()
    var turn = 0
    while carried.failures.count < failuresMax, !carried.isClosed {
      beforeTurn(turn)
      let now = start.later(seconds: Double(turn) * stepSeconds)
      turn += 1
      do throws(SystemError) {
        _ = try tick(at: now)
        if let batch = try reader.next() {
          let progress = try write(batch, at: now)
          carried.taken += reader.take(progress.byteCount)
        } else {
          carried.isClosed = try close(at: now) == nil
        }
      } catch {
        carried.failures.append(error)
      }
    }
    abandon()
    return carried
  }
}

extension BackgroundCommand {
  /// Waits for the running command, as no other code does once the sink is gone: a child that isn't waited
  /// for would hide the ends of other children from tests of those.
  func awaitEnd() {
    if let process { waitpid(process, nil, 0) }
  }
}

extension TemporaryDirectory {
  /// The files of a naming scheme, oldest first and the current one last.
  func files(of naming: FileNaming, current: String) -> [String] {
    let finished = names.filter { $0 != current }.compactMap { name in
      naming.age(ofFileName: name).map { (name: name, age: $0) }
    }
    let sorted = finished.sorted { $0.age < $1.age }.map(\.name)
    return sorted + names.filter { $0 == current }
  }

  /// The contents of files, concatenated, decompressed if they are compressed.
  func joined(_ files: [String], isCompressed: Bool) -> String {
    joined(files, isCompressed ? .gzip : nil)
  }

  /// The contents of files, concatenated, decompressed if they are compressed.
  func joined(_ files: [String], _ format: CompressionFormat?) -> String {
    guard let format else { return files.map(text).joined() }
    let paths = files.map { "'\(file($0))'" }.joined(separator: " ")
    return shell("cat /dev/null \(paths) | \(format) -dc 2>/dev/null").text
  }

  /// Whether a file is a series of complete members or frames.
  func isWhole(_ name: String, _ format: CompressionFormat = .gzip) -> Bool {
    guard let descriptor = try? SystemCalls.real.open(file(name), 0) else { return false }
    defer { try? SystemCalls.real.close(descriptor) }
    return (try? SystemCalls.real.status(descriptor).st_size) ?? 0 > 0
      && (try? PartScan(format, descriptor: descriptor, system: .real)) == .whole
  }
}
