import VarnishLog
import Glibc
import LogWriterSupport
import TestSupport

/// The files to which readers of a log have written.
enum LogText {
  /// Goes through a file's lines without keeping all of it in memory.
  private static func eachLine(_ path: String, _ body: (Substring) throws -> Void) throws {
    guard let file = fopen(path, "r") else { throw SupportError("open \(path)", errno: errno) }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { return }
      let text = String(decoding: UnsafeRawBufferPointer(start: line, count: count - 1), as: UTF8.self)
      try body(text[...])
    }
  }

  /// Compares varnishlog's output for transactions with what was written.
  static func check(_ path: String, count: UInt64, _ found: (UInt64) -> Void) throws {
    var lines: [Substring] = []
    try eachLine(path) { line in
      guard line.isEmpty else {
        if !line.hasPrefix("*") { lines.append(line) }
        return
      }
      defer { lines = [] }
      guard let line = lines.first(where: { $0.hasPrefix("-   ReqURL ") }), !line.contains("/mark/") else {
        return
      }
      guard let number = Traffic.number(inURL: line.dropFirst(19)), number < count else {
        throw SupportError("not ours: \(line)")
      }
      let expected = Traffic.records(number).map { tag, text in
        "-   \(tag.name)" + String(repeating: " ", count: 15 - tag.name.utf8.count) + text
      }
      guard lines.count == expected.count, zip(lines, expected).allSatisfy({ $0 == $1 }) else {
        throw SupportError("not as it was written: \(lines)")
      }
      found(number)
    }
  }

  /// How many different transactions a file names by their URLs, one per line.
  static func urls(_ path: String, count: UInt64) throws -> Int {
    var seen = [Bool](repeating: false, count: Int(count))
    try eachLine(path) { line in
      if line.hasPrefix("/mark/") { return }
      guard let number = Traffic.number(inURL: line), number < count, !seen[Int(number)] else {
        throw SupportError("not ours, or shown twice: \(line)")
      }
      seen[Int(number)] = true
    }
    return seen.count { $0 }
  }

  /// Whether two files are the same from a mark on.
  static func areSame(_ a: String, _ b: String, from mark: String) throws -> Bool {
    guard let first = fopen(a, "r"), let second = fopen(b, "r") else {
      throw SupportError("open \(a) or \(b)", errno: errno)
    }
    defer {
      fclose(first)
      fclose(second)
    }
    for file in [first, second] { try skip(file, past: mark) }
    var left = [UInt8](repeating: 0, count: 1 << 20)
    var right = left
    while true {
      let count = fread(&left, 1, left.count, first)
      guard fread(&right, 1, right.count, second) == count else { return false }
      if count == 0 { return true }
      guard memcmp(left, right, count) == 0 else { return false }
    }
  }

  private static func skip(_ file: UnsafeMutablePointer<FILE>, past mark: String) throws {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { throw SupportError("there is no \(mark)") }
      if String(cString: line).hasSuffix(mark + "\n") { return }
    }
  }
}
