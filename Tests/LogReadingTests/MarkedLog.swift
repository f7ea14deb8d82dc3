import LogReading
import TestSupport
import Testing
import Transactions
import VarnishLog

/// The layout of a log in memory.
enum RingKind: CaseIterable, CustomTestStringConvertible {
  case v21, v30, v40, v41, v52, v73

  var testDescription: String { "\(self)" }

  /// Whether a record contains only its length, and nothing about its neighbours.
  var isOld: Bool { self == .v21 || self == .v30 }
}

/// A log in which every record of a request names the request.
///
/// It is written as a server writes it: several requests at a time, round and round. Only one thread at a
/// time may use it.
final class MarkedLog: @unchecked Sendable {
  let directory: TemporaryDirectory
  let kind: RingKind
  /// The file to copy.
  let file: MappedFile
  /// The size of the ring in bytes.
  let ringByteCount: Int
  /// The last request that was logged completely; so were all requests before it, except those in `open`.
  private(set) var lastNumber = 0
  /// Requests of which only the beginning was logged.
  private(set) var open: [Int] = []
  private var random: SeededGenerator
  private let write: (Int, Half) -> Void

  private enum Half { case first, second }

  /// The approximate size of a request in bytes.
  var requestByteCount: Int {
    switch kind {
    case .v21, .v30: 440
    case .v40, .v41, .v52: 380
    case .v73: 430
    }
  }
  private static let openMax = 3

  init(_ kind: RingKind, _ random: SeededGenerator) throws {
    self.kind = kind
    self.random = random
    directory = try TemporaryDirectory()
    switch kind {
    case .v21:
      let server = try Server21(directory: directory.path)
      file = server.file
      ringByteCount = Server21.areaByteCount
      write = { number, half in
        for (tag, text) in Self.oldRecords(number, half) {
          server.append(tag.in21, id: Self.descriptor(number), text)
        }
      }
    case .v30:
      let server = try Server30(directory: directory.path)
      file = server.file
      // The first word counts the turns.
      ringByteCount = 1 << 16 - 4
      write = { number, half in
        for (tag, text) in Self.oldRecords(number, half) {
          server.append(tag.in30, id: Self.descriptor(number), text)
        }
      }
    case .v40:
      let chunks = try ChunkFile(path: directory.file("_.vsm"), byteCount: 1 << 17)
      let log = chunks.allocate("Log", byteCount: 1 << 16)
      let ring = TurningRingWriter(in: chunks.file, at: log.lowerBound, byteCount: log.count)
      _ = chunks.allocate("Stat", type: "MAIN", byteCount: 800)
      try chunks.file.publish()
      file = chunks.file
      ringByteCount = ring.ringWords * 4
      write = { number, half in ring.append(batch: Self.records(number, half, .v40)) }
    case .v41:
      let chunks = try ChunkFile(path: directory.file("_.vsm"), byteCount: 1 << 17)
      let log = chunks.allocate("Log", byteCount: 88 + 1 << 16)
      let ring = RingWriter(in: chunks.file, at: log.lowerBound, layout: .twoWord, eighthWords: 2048)
      try chunks.file.publish()
      file = chunks.file
      ringByteCount = ring.eighthWords * 32
      write = { number, half in ring.append(batch: Self.records(number, half, .v7)) }
    case .v52, .v73:
      file = try MappedFile(path: directory.file("_.Log.0123456789abcdef"), byteCount: 88 + 1 << 16)
      let isWide = kind == .v73
      let ring = RingWriter(
        in: file, at: 0, layout: isWide ? .threeWord : .twoWord, eighthWords: 2048)
      try file.publish()
      ringByteCount = ring.eighthWords * 32
      write = { number, half in ring.append(batch: Self.records(number, half, isWide ? .v8 : .v7)) }
    }
  }

  /// Logs `count` requests: whole ones, and halves with others in between.
  func log(_ count: Int) {
    for _ in 0..<count {
      lastNumber += 1
      let number = lastNumber
      write(number, .first)
      open.append(number)
      while open.count > Int.random(in: 0...Self.openMax, using: &random) {
        let index = Int.random(in: 0..<open.count, using: &random)
        write(open.remove(at: index), .second)
      }
    }
  }

  // MARK: Records

  /// A small set of numbers, so that they are soon reused; open requests never share a number.
  private static func descriptor(_ number: Int) -> UInt32 { UInt32(number % 64 + 3) }

  private static func mark(_ number: Int, _ part: Int) -> String {
    "#\(number)#" + String(repeating: ".", count: (number &* 7919 &+ part &* 104_729) % 61)
  }

  /// The texts in front of the marks, in the order of the records.
  private static let names = ["/", "X-First: ", "X-Second: ", "X-Third: "]
  private static let markCount = 4

  private static func records(_ number: Int, _ half: Half, _ tags: SampleTags) -> [SampleRecord] {
    let texts =
      half == .first
      ? [
        ("Begin", "req 0 rxreq"), ("ReqMethod", "GET"), ("ReqURL", "/\(mark(number, 1))"),
        ("ReqHeader", "X-First: \(mark(number, 2))"),
      ]
      : [
        ("RespStatus", "200"), ("RespHeader", "X-Second: \(mark(number, 3))"),
        ("RespHeader", "X-Third: \(mark(number, 4))"), ("ReqAcct", "1 0 1 1 \(number) \(number + 1)"),
        ("End", ""),
      ]
    return texts.map { SampleRecord(UInt64(number), .client, $0, $1, tags: tags) }
  }

  private typealias OldTag = (in21: UInt8, in30: UInt8)

  private static func oldRecords(_ number: Int, _ half: Half) -> [(tag: OldTag, text: String)] {
    let xid = 1_000_000 + number
    switch half {
    case .first:
      return [
        ((41, 41), "127.0.0.1 4711 \(xid)"), ((16, 15), "GET"), ((19, 18), "/\(mark(number, 1))"),
        ((20, 19), "HTTP/1.1"), ((21, 20), "X-First: \(mark(number, 2))"), ((37, 37), "recv lookup"),
      ]
    case .second:
      return [
        ((37, 37), "deliver deliver"), ((26, 25), "HTTP/1.1"), ((24, 23), "200"), ((23, 22), "OK"),
        ((28, 27), "X-Second: \(mark(number, 3))"), ((28, 27), "X-Third: \(mark(number, 4))"),
        ((14, 13), "\(number)"),
        ((5, 4), "\(xid) 1700000000.000000000 1700000000.100000000 0.000000001 0.1 0.000000001"),
      ]
    }
  }

  // MARK: Reading

  /// The number of the request that a transaction is; nil if it isn't exactly as it was logged.
  static func number<Layout: RecordLayout>(of transaction: Transaction<Layout>, _ tags: TagTable) -> Int? {
    var numbers: [Int] = []
    var body: Int?
    var cursor = transaction.makeCursor()
    while let record = cursor.next() {
      let text = record.payload.droppingFinalNULs.text
      if record.tag == tags.number(of: .reqAcct) {
        body = record.payload.droppingFinalNULs.field(5).flatMap { Int($0.text) }
      }
      let parts = text.split(separator: "#", omittingEmptySubsequences: false)
      guard parts.count > 1 else { continue }
      // A text mixed of several has an extra mark or no number.
      guard parts.count == 3, let number = Int(parts[1]) else { return nil }
      let expected = mark(number, numbers.count + 1)
      guard text == names[min(numbers.count, markCount - 1)] + expected else { return nil }
      numbers.append(number)
    }
    guard numbers.count == markCount, let number = numbers.first, body == number,
      numbers.allSatisfy({ $0 == number })
    else { return nil }
    return number
  }
}
