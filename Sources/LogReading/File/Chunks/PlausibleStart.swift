import VarnishLog

/// Finds where in the middle of a file a transaction probably begins.
///
/// A file has no marks; what looks like a `Begin` with a row of records behind it may also be a part of a
/// payload. So the result is a guess, which counts only once the records in front of it have been walked over
/// up to there.
struct PlausibleStart<Layout: RecordLayout> {
  /// How many records must stand behind one another, so that a guess is seldom wrong.
  private static var chainLength: Int { 12 }
  /// How far to search: more than any usual transaction has.
  private static var searchByteCount: Int { 128 << 10 }
  private static var words: [StaticString] { ["req ", "bereq ", "sess "] }

  let classes: TagClasses

  /// Where the first transaction begins, as an offset.
  ///
  /// - Parameter bytes: readable memory.
  @unsafe func find(in bytes: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    let limit = min(bytes.count - Layout.headerByteCount, Self.searchByteCount)
    while at <= limit {
      if unsafe begins(UnsafeRawBufferPointer(rebasing: bytes[at...])) { return at }
      at += MemoryLayout<UInt32>.size
    }
    return nil
  }

  /// Whether bytes look like a `Begin` and what comes behind one.
  private func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return false }
    guard classes[RecordHeader.tag(unsafe start.load(as: UInt32.self))] == .begin else { return false }
    var cursor = unsafe RecordRun<Layout>(start: start, byteCount: bytes.count).makeCursor()
    guard let first = cursor.next(), first.vxid != 0,
      Self.words.contains(where: { first.payload.prefix($0.utf8CodeUnitCount).equals($0) })
    else { return false }
    for _ in 1..<Self.chainLength {
      guard let record = cursor.next() else { return false }
      switch classes[record.tag] {
      case .plain, .begin, .end, .link: continue
      case .batch, .mark, .unknown: return false
      }
    }
    return true
  }
}
