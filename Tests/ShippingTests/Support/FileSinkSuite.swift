import Glibc
@testable import Platform
@testable import Shipping
import Testing

/// The common parts of suites about file outputs: a directory, the messages, and runs one after the other.
protocol FileSinkSuite {
  var directory: TemporaryDirectory { get }
  var warnings: Collected<String> { get }
}

extension FileSinkSuite {
  /// An output in the suite's directory.
  func sink(
    _ name: String = "access.log", system: SystemCalls = .real, at now: Moment = .test,
    _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws -> FileSink {
    var options = FileOptions(path: directory.file(name))
    configure(&options)
    return try FileSink(options, at: now, system: system) { [warnings] in warnings.append($0) }
  }

  /// A run that writes one line and ends.
  func run(
    _ line: String, to name: String = "access.log", system: SystemCalls = .real, at now: Moment = .test,
    _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws {
    let sink = try sink(name, system: system, at: now) {
      $0.appends = true
      configure(&$0)
    }
    try sink.take([line], at: now)
    _ = try sink.close(at: now)
    sink.abandon()
  }

  /// The time as it is written in the names of finished files.
  func stamp(_ moment: Moment = .test) -> String {
    LocalTime.expand("%Y%m%dT%H%M%S", LocalTime.fields(at: moment.wallSeconds)) ?? ""
  }

  /// The text of all files, in the order of their first lines, which begin with a number.
  func numbers(in names: [String]) -> [Int] {
    names.flatMap { splitLines(Array(directory.text($0).utf8)) }.compactMap { Int($0) }.sorted()
  }

  func status(_ name: String) -> stat {
    (try? SystemCalls.real.linkStatus(ofPath: directory.file(name))) ?? stat()
  }

  /// Calls the sink whenever its command has ended, until `condition` holds.
  func wait(_ sink: FileSink, at now: Moment = .test, until condition: () -> Bool) throws {
    let deadline = Moment.now().steadyNanoseconds + 30_000_000_000
    while !condition() {
      try #require(Moment.now().steadyNanoseconds < deadline, "nothing came of it")
      if let descriptor = sink.wakeDescriptor {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        SystemCalls.poll(&descriptors, nanoseconds: 100_000_000)
      }
      _ = try sink.tick(at: now)
    }
  }
}
