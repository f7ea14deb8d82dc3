public import VarnishLog

/// The records of one transaction, collected until they are written in one piece.
///
/// It has a buffer of its own, so collecting needs no lock and no allocation; a thread that writes many
/// transactions one after the other keeps one value and begins it anew. Records that weren't committed when
/// the value is destroyed aren't written.
///
/// ```swift
/// var transaction = writer.transaction(writer.nextVXID(), .client)
/// transaction.add(.begin, "req 1 rxreq")
/// transaction.add(.reqURL, "/")
/// transaction.add(.end, "")
/// transaction.commit()
/// ```
@safe public struct LogTransaction: ~Copyable, @unchecked Sendable {
  // Sendable: no other value has the buffer.
  private let writer: LogWriter
  private let buffer: UnsafeMutableRawPointer
  private let capacity: Int
  private let encoding: RecordEncoding
  // Copies of the writer's, to be found in one step.
  private let tagNumbers: [UInt8]
  private let textByteCountMax: Int
  private var used: Int
  private var tally = AppendableLog.Tally()
  /// In a single file, makes the added records a request of 3.0.
  private var oldRequest = OldRequest()
  /// The transaction's number.
  public private(set) var vxid: UInt64
  /// The side that its records are marked with.
  public private(set) var side: Side

  init(_ writer: LogWriter, vxid: UInt64, side: Side) {
    self.writer = writer
    encoding = writer.encoding
    tagNumbers = writer.tagNumbers
    textByteCountMax = writer.textByteCountMax
    capacity = writer.bufferByteCount
    unsafe buffer = .allocate(byteCount: capacity, alignment: 8)
    used = encoding.batchHeaderByteCount
    self.vxid = vxid
    self.side = side
  }

  deinit { unsafe buffer.deallocate() }

  /// Begins another transaction; what was collected and not committed is thrown away.
  public mutating func begin(_ vxid: UInt64, _ side: Side) {
    self.vxid = vxid
    self.side = side
    used = encoding.batchHeaderByteCount
    tally = AppendableLog.Tally()
    oldRequest = OldRequest()
  }

  // MARK: Adding

  /// Adds a record with text; what is longer than the writer's limit is cut.
  public mutating func add(_ tag: Tag, _ text: StaticString) {
    guard encoding != .old else { return add(tag, text.description) }
    let number = number(of: tag)
    guard text.hasPointerRepresentation else { return add(tag, text.description) }
    unsafe add(number, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Adds a record with text; what is longer than the writer's limit is cut.
  @_disfavoredOverload
  public mutating func add(_ tag: Tag, _ text: String) {
    let number = number(of: tag)
    var text = text
    text.withUTF8 { text in
      guard unsafe takes(tag, UnsafeRawBufferPointer(text)) else { return }
      unsafe add(number, UnsafeRawBufferPointer(text))
    }
  }

  /// Adds a record whose payload may be any bytes; what is longer than the writer's limit is cut.
  public mutating func add(_ tag: Tag, bytes: RawSpan) {
    let number = number(of: tag)
    unsafe bytes.withUnsafeBytes { bytes in
      guard unsafe takes(tag, bytes) else { return }
      unsafe add(number, bytes)
    }
  }

  /// Adds a header: its name, a colon and a blank, and its value.
  public mutating func add(_ tag: Tag, header name: String, _ value: String) {
    let number = number(of: tag)
    guard unsafe takes(tag, UnsafeRawBufferPointer(start: nil, count: 0)) else { return }
    var name = name
    var value = value
    name.withUTF8 { name in
      value.withUTF8 { value in
        unsafe add(number, UnsafeRawBufferPointer(name), isHeader: true, UnsafeRawBufferPointer(value))
      }
    }
  }

  /// Adds a record as it stands in another log: the tag's number in this log's numbering, and the payload
  /// with its final NUL if it has one.
  public mutating func add(number: UInt8, payload: RawSpan) {
    unsafe payload.withUnsafeBytes { payload in
      let most = textByteCountMax + 1
      if payload.count > most { tally.truncations += 1 }
      guard let target = unsafe makeRecord(number, payloadByteCount: min(payload.count, most)) else { return }
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: payload.prefix(most)))
    }
  }

  /// In a single file, adds what its readers need beside a record, and returns whether the record itself is
  /// to be added.
  @inline(__always)
  private mutating func takes(_ tag: Tag, _ text: UnsafeRawBufferPointer) -> Bool {
    encoding == .old ? unsafe takesOld(tag, text) : true
  }

  private mutating func takesOld(_ tag: Tag, _ text: UnsafeRawBufferPointer) -> Bool {
    switch unsafe oldRequest.take(tag, text, vxid: vxid) {
    case .asItIs: return true
    case .nothing:
      tally.skipped += 1
      return false
    case .instead(let other, let text):
      addOld(other, text)
      return false
    case .before(let other, let text):
      addOld(other, text)
      return true
    }
  }

  private mutating func addOld(_ tag: Tag, _ text: String) {
    let number = number(of: tag)
    var text = text
    text.withUTF8 { unsafe add(number, UnsafeRawBufferPointer($0)) }
  }

  @inline(__always)
  private func number(of tag: Tag) -> UInt8 { tagNumbers[Int(tag.rawValue)] }

  private mutating func add(
    _ number: UInt8, _ first: UnsafeRawBufferPointer, isHeader: Bool = false,
    _ second: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    let separator = isHeader ? 2 : 0
    let full = first.count + separator + second.count
    let count = min(full, textByteCountMax)
    if count < full { tally.truncations += 1 }
    let payload = count + (encoding.terminatesText ? 1 : 0)
    guard let target = unsafe makeRecord(number, payloadByteCount: payload) else { return }
    unsafe Self.copy(first, to: target, at: 0, count)
    guard isHeader else { return }
    unsafe Self.copy(UnsafeRawBufferPointer(Self.colon), to: target, at: first.count, count)
    unsafe Self.copy(second, to: target, at: first.count + separator, count)
  }

  private static var colon: UnsafeBufferPointer<UInt8> {
    let text: StaticString = ": "
    return unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// Copies as much as there is room for in the first `limit` bytes of the target.
  @inline(__always)
  private static func copy(
    _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, at offset: Int, _ limit: Int
  ) {
    let count = min(bytes.count, limit - offset)
    guard count > 0, let source = bytes.baseAddress, let start = target.baseAddress else { return }
    unsafe (start + offset).copyMemory(from: source, byteCount: count)
  }

  /// Makes a record whose payload is still to be filled, its last word zero.
  ///
  /// - Returns: nil if the log has no such tag.
  private mutating func makeRecord(
    _ number: UInt8, payloadByteCount: Int
  ) -> UnsafeMutableRawBufferPointer? {
    guard encoding.canHave(number) else {
      tally.skipped += 1
      return nil
    }
    let header = encoding.headerByteCount
    let padded = (payloadByteCount + 3) & ~3
    if used + header + padded > capacity {
      flush()
      // The writer's options make sure of that; else the code below would write behind the buffer.
      precondition(used + header + padded <= capacity, "a record larger than the buffer")
    }
    let record = unsafe buffer + used
    unsafe encoding.writeHeader(
      to: record, tag: number, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
    if padded > 0 { unsafe record.storeBytes(of: 0, toByteOffset: header + padded - 4, as: UInt32.self) }
    used += header + padded
    tally.records += 1
    return unsafe UnsafeMutableRawBufferPointer(start: record + header, count: payloadByteCount)
  }

  // MARK: Writing

  /// Writes the records collected so far, before the transaction's end; more of the same transaction will
  /// come.
  public mutating func flush() {
    tally.flushes += 1
    write()
  }

  /// Writes the records collected; the value is empty then, and may be begun anew.
  ///
  /// - Returns: false if the log has been closed.
  @discardableResult
  public mutating func commit() -> Bool { write() }

  @discardableResult
  private mutating func write() -> Bool {
    let start = encoding.batchHeaderByteCount
    defer {
      used = start
      tally = AppendableLog.Tally()
    }
    guard used > start else {
      if tally.skipped > 0 { writer.log.count(tally) }
      return true
    }
    unsafe encoding.writeBatchHeader(to: buffer, byteCount: used - start)
    return unsafe writer.log.append(UnsafeRawBufferPointer(start: buffer, count: used), tally)
  }
}
