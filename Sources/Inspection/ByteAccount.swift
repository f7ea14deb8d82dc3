import VarnishLog

/// Counts the bytes of one message's header that were recorded, to be compared with the number that the
/// server gives.
///
/// They are a start line of three words and the lines of the header, each with its line end, as HTTP/1 sends
/// them.
struct ByteAccount {
  /// A record that is as long as a server lets records be.
  struct Cut {
    let tag: UInt8
    /// How long it is, a NUL included.
    let byteCount: Int
    fileprivate let text: [UInt8]
  }

  /// The records of the header that are as long as a server lets records be.
  private(set) var cuts: [Cut] = []
  /// The lengths of the three words; nil for a word that wasn't recorded.
  private var words: [Int?] = [nil, nil, nil]
  private var headerBytes = 0
  /// The length of the last line that the server may have added itself, which then wasn't received.
  private var addedBytes = 0
  /// Whether the header is complete, so that further records don't belong to it.
  private(set) var isClosed = false

  /// The most records that are kept of one message.
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

/// The parts of a record that tell how long it is, and whether it may have been cut.
struct CutRecord {
  let tag: UInt8
  /// How long it is, a NUL included.
  let byteCount: Int
  /// The payload without the NUL.
  let text: LogBytes
  /// Whether it is long enough to have been cut.
  let mayBeCut: Bool
}
