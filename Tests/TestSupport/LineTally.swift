import Glibc

/// Counts how often each request of a load occurs in log lines of the format `%U`.
public struct LineTally: Sendable {
  /// How many lines there were, without those that are ignored.
  public private(set) var lineCount = 0
  private let prefix: [UInt8]
  private let ignored: [UInt8]
  private var counts: [Int]
  private var foreign: [String] = []
  private var unfinished: [UInt8] = []

  /// Starts counting for one load; lines that begin with `ignored` are skipped.
  public init(_ plan: LoadPlan, ignoring ignored: String = "/probe/") {
    self.ignored = Array(ignored.utf8)
    prefix = Array("/\(plan.prefix)/".utf8)
    counts = Array(repeating: 0, count: plan.count)
  }

  /// Counts the lines of an output or a file, whose last line must be whole.
  public mutating func add(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      var start = 0
      while start < buffer.count {
        guard let newline = memchr(base + start, 0x0A, buffer.count - start) else {
          unfinished = Array(bytes[start...])
          return
        }
        let end = base.distance(to: UnsafeRawPointer(newline))
        count(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        start = end + 1
      }
    }
  }

  private mutating func count(_ line: UnsafeRawBufferPointer) {
    if line.starts(with: ignored) { return }
    lineCount += 1
    if line.starts(with: prefix),
      let number = Int(String(decoding: line[prefix.count...], as: UTF8.self)),
      counts.indices.contains(number)
    {
      counts[number] += 1
    } else {
      foreign.append(String(decoding: line, as: UTF8.self))
    }
  }

  /// The difference, in words, from “every answered request once, an uncertain one at most once, nothing
  /// else, whole lines only”; `nil` if there is none.
  public func discrepancy(from report: LoadReport) -> String? {
    var missing: [Int] = []
    var repeated: [Int] = []
    var unasked: [Int] = []
    for (number, fate) in report.fates.enumerated() {
      switch fate {
      case .answered where counts[number] == 0: missing.append(number)
      case .unsent where counts[number] > 0: unasked.append(number)
      default: break
      }
      if counts[number] > 1 { repeated.append(number) }
    }
    var findings: [String] = []
    func note(_ what: String, _ examples: [some CustomStringConvertible]) {
      guard !examples.isEmpty else { return }
      let some = examples.prefix(5).map(\.description).joined(separator: ", ")
      findings.append("\(examples.count) \(what) (\(some)…)")
    }
    note("missing", missing)
    note("written more than once", repeated)
    note("never asked for", unasked)
    note("foreign lines", foreign)
    if !unfinished.isEmpty {
      findings.append("half a line: \(String(decoding: unfinished, as: UTF8.self))")
    }
    return findings.isEmpty ? nil : findings.joined(separator: "; ")
  }
}
