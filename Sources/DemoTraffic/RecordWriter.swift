import LogWriting
import VarnishLog

/// Collects the records of one transaction after the other, and writes each as a whole.
struct RecordWriter: ~Copyable {
  private var transaction: LogTransaction

  init(_ writer: LogWriter) { transaction = writer.transaction(0, .client) }

  mutating func begin(_ vxid: UInt64, _ side: Side) { transaction.begin(vxid, side) }

  mutating func add(_ tag: Tag, _ text: String) { transaction.add(tag, text) }

  mutating func end() {
    transaction.add(.end, "")
    transaction.commit()
  }

  /// Writes a piece of a transaction that goes on.
  mutating func endPiece() { transaction.commit() }

  /// A step of the rules and what it comes to.
  mutating func call(_ name: String, _ result: String) {
    transaction.add(.vclCall, name)
    transaction.add(.vclReturn, result)
  }

  mutating func add(_ tag: Tag, headers: [Header]) {
    for header in headers { transaction.add(tag, header: header.name, header.value) }
  }
}

/// A line of a message's head.
struct Header {
  let name: String
  let value: String

  init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// How much lines take, with what stands between and behind.
  static func byteCount(_ headers: [Header]) -> Int {
    headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
  }
}
