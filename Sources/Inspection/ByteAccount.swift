import VarnishLog

/// The header of one message as far as it was recorded, to be compared with how many bytes the server says it had.
///
/// A start line of three words and the lines of the header, each with what ends a line: that is what HTTP/1 sends.
struct ByteAccount {
  /// A record that is as long as a server lets records be.
  struct Cut {
    let tag: UInt8
    /// How long it is, a NUL included.
    let byteCount: Int
    fileprivate let text: [UInt8]
  }

  /// Those of the header that are as long as any may be.
  private(set) var cuts: [Cut] = []
  /// Lengths of the three words; nil for what wasn't recorded.
  private var words: [Int?] = [nil, nil, nil]
  private var headerBytes = 0
  /// The last line that a proxy adds by itself, which wasn't received.
  private var addedBytes = 0
  /// Whether what follows isn't part of it any more.
  private(set) var isClosed = false

  /// The most that are kept of one message.
  private static let cutsMax = 64

  mutating func setWord(_ index: Int, _ record: CutRecord) {
    guard !isClosed else { return }
    words[index] = record.text.count
    cuts.removeAll { $0.tag == record.tag }
    addCut(record)
  }

  /// Adds a line.
  ///
  /// - Parameter isAdded: whether it may be the server's own.
  mutating func add(_ record: CutRecord, isAdded: Bool = false) {
    guard !isClosed else { return }
    headerBytes += record.text.count + 2
    if isAdded { addedBytes = record.text.count + 2 }
    addCut(record)
  }

  mutating func remove(_ record: CutRecord, tag: UInt8?) {
    guard !isClosed else { return }
    headerBytes -= record.text.count + 2
    guard record.mayBeCut else { return }
    let index = cuts.firstIndex { cut in
      unsafe cut.tag == tag && record.text.buffer.elementsEqual(cut.text)
    }
    if let index { cuts.remove(at: index) }
  }

  mutating func close() { isClosed = true }

  private mutating func addCut(_ record: CutRecord) {
    guard record.mayBeCut, cuts.count < Self.cutsMax else { return }
    unsafe cuts.append(Cut(tag: record.tag, byteCount: record.byteCount, text: Array(record.text.buffer)))
  }

  /// How many bytes were recorded; nil if there is no start line, or more records than are kept.
  var byteCount: Int? {
    guard let first = words[0], let second = words[1], let third = words[2], cuts.count < Self.cutsMax else {
      return nil
    }
    return first + 1 + second + 1 + third + 2 + headerBytes - addedBytes + 2
  }
}

/// What of a record its length is told by.
struct CutRecord {
  let tag: UInt8
  /// How long it is, a NUL included.
  let byteCount: Int
  /// Without the NUL.
  let text: LogBytes
  /// Whether it is long enough to have been cut.
  let mayBeCut: Bool
}
