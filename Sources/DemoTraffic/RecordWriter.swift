import LogWriting
import VarnishLog

/// Collects the records of a transaction, and writes them together; one transaction after the other.
struct RecordWriter: ~Copyable {
  private var transaction: LogTransaction

  init(_ writer: LogWriter) { transaction = writer.transaction(0, .client) }

  mutating func begin(_ vxid: UInt64, _ side: Side) { transaction.begin(vxid, side) }

  mutating func add(_ tag: Tag, _ text: String) { transaction.add(tag, text) }

  mutating func end() {
    transaction.add(.end, "")
    transaction.commit()
  }

  /// Writes the records so far of a transaction that isn't finished.
  mutating func endPiece() { transaction.commit() }

  /// Adds a step of the rules and its result.
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

  /// The size of headers in bytes, with separators and line ends.
  static func byteCount(_ headers: [Header]) -> Int {
    headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
  }
}
