import Platform
import Synchronization
public import VarnishLog

/// Writes a log into shared memory, as a server does for the processes that follow it.
///
/// Any number of threads write, any number of processes read, and no reader can delay a writer: what is
/// written is overwritten a turn later, read or not. If the writing process dies, readers of its log see
/// whole records only, and the next writer in its place begins with a new log.
///
/// ```swift
/// let writer = try LogWriter(directory: "/run/shop/log")
/// ```
///
/// `spillway ncsa -n /run/shop/log` follows it.
public final class LogWriter: Sendable {
  /// The directory that readers are given with `-n`.
  public let directory: String
  /// What kind of log it is.
  public let options: LogWriterOptions

  let log: AppendableLog
  let encoding: RecordEncoding
  /// How many bytes of records, and the header in front, a transaction collects.
  let bufferByteCount: Int
  let textByteCountMax: Int
  /// One for each case of `Tag`.
  let tagNumbers: [UInt8]
  private let store: any SectionStore
  private let documents = Guarded<Set<UInt64>>([])
  /// In a single file: the descriptions that are there, by the kind, or the kind and name, of their counter
  /// sets.
  private let placedDocuments = Guarded<[String: (number: UInt64, memory: SectionMemory)]>([:])
  private let vxids = Atomic<UInt64>(0)

  /// Makes a log in a directory, which is made if it isn't there.
  ///
  /// Remains of a log whose writer is dead are removed.
  ///
  /// - Throws: `LogWriterError.inUse` if another process writes a log there; other cases if the log can't be
  ///   made.
  public init(directory: String, options: LogWriterOptions = LogWriterOptions()) throws(LogWriterError) {
    try options.validate()
    let place = try LogPlace(directory, keepsFile: options.format == .singleFile)
    let made = try LogConstruction(in: place, options)
    self.directory = directory
    self.options = options
    store = made.store
    log = made.log
    encoding = options.encoding
    textByteCountMax = options.textByteCountMax
    bufferByteCount = min(options.batchByteCount & ~3, made.log.pieceByteCountMax)
    tagNumbers = options.encoding.tagNumbers(options.numbering)
  }

  deinit { close() }

  /// Ends the log: readers see that it is gone, and what is committed from now on goes nowhere.
  public func close() {
    log.close()
    store.close()
  }

  // MARK: Records

  /// A number that no transaction of this log has had, until all numbers are used up and begin again.
  public func nextVXID() -> UInt64 {
    vxids.add(1, ordering: .relaxed).oldValue % encoding.largestVXID + 1
  }

  /// Begins a transaction; it is written when it is committed.
  ///
  /// In a single file the number is the request's, and its lower 16 bits are the number of a connection.
  /// Records of a request that begins with `Begin` and ends with `End` are rewritten into what readers of 3.0
  /// take for a request.
  public func transaction(_ vxid: UInt64, _ side: Side) -> LogTransaction {
    LogTransaction(self, vxid: vxid, side: side)
  }

  /// Writes a record by itself; without a transaction's number it belongs to the server as a whole.
  public func append(_ tag: Tag, _ text: String, vxid: UInt64 = 0, side: Side = .none) {
    var text = text
    text.withUTF8 { unsafe append(tag, UnsafeRawBufferPointer($0), vxid: vxid, side: side) }
  }

  /// Writes a record by itself as it stands in another log: the tag's number in this log's numbering, and
  /// the payload with its final NUL if it has one.
  public func append(number: UInt8, payload: RawSpan, vxid: UInt64 = 0, side: Side = .none) {
    unsafe payload.withUnsafeBytes { payload in
      let count = min(payload.count, textByteCountMax + 1)
      unsafe append(
        number, UnsafeRawBufferPointer(rebasing: payload.prefix(count)), payloadByteCount: count,
        isCut: count < payload.count, vxid: vxid, side: side)
    }
  }

  private func append(_ tag: Tag, _ text: UnsafeRawBufferPointer, vxid: UInt64, side: Side) {
    let count = min(text.count, textByteCountMax)
    unsafe append(
      tagNumbers[Int(tag.rawValue)], UnsafeRawBufferPointer(rebasing: text.prefix(count)),
      payloadByteCount: count + (encoding.terminatesText ? 1 : 0), isCut: count < text.count, vxid: vxid,
      side: side)
  }

  /// - Parameter payloadByteCount: the number of `bytes`, and the NUL behind them if there is to be one.
  private func append(
    _ number: UInt8, _ bytes: UnsafeRawBufferPointer, payloadByteCount: Int, isCut: Bool, vxid: UInt64,
    side: Side
  ) {
    guard encoding.canHave(number) else { return log.count(AppendableLog.Tally(skipped: 1)) }
    let header = encoding.headerByteCount
    let byteCount = header + (payloadByteCount + 3) & ~3
    unsafe withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { record in
      guard let start = record.baseAddress else { return }
      unsafe record.storeBytes(of: 0, toByteOffset: byteCount - 4, as: UInt32.self)
      unsafe encoding.writeHeader(
        to: start, tag: number, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
      if let source = bytes.baseAddress {
        unsafe (start + header).copyMemory(from: source, byteCount: bytes.count)
      }
      _ = unsafe log.append(
        UnsafeRawBufferPointer(record), AppendableLog.Tally(records: 1, truncations: isCut ? 1 : 0))
    }
  }

  // MARK: Sections

  /// Counts of what was written so far.
  public var statistics: LogWriterStatistics { log.statistics }

  /// Makes a set of counters that readers see, each with its description.
  ///
  /// In a single file the descriptions are for `spillway stat` alone; other readers of such a file must know
  /// what the counters mean. If there is no room for the descriptions, they are left out.
  ///
  /// - Parameters:
  ///   - name: what the set is called, for example `SHOP.eu`; readers put it in front of the counters' names.
  ///   - kind: what is common to all sets with these counters.
  ///   - order: where it stands among the kinds; smaller comes first.
  public func addCounters(
    _ name: String, kind: String, summary: String = "", order: Int = 100, _ counters: [CounterDescription]
  ) throws(LogWriterError) -> CounterSet {
    let document = CounterDocument(name: kind, summary: summary, order: order, counters: counters)
    guard options.format != .singleFile else {
      describe(kind, name, document)
      return try store.allocateCounters(
        SectionLabel("Stat", type: kind, name: name), count: counters.count, nil)
    }
    let isNew = documents.withLock { $0.insert(document.number).inserted }
    if isNew {
      do {
        try store.allocateDocument(document)
      } catch {
        documents.withLock { _ = $0.remove(document.number) }
        throw error
      }
    }
    return try store.allocateCounters(SectionLabel("Stat", name: name), count: counters.count, document)
  }

  /// Describes the sets of a kind in a single file; or one of them by its name, if others of the kind have other
  /// counters.
  private func describe(_ kind: String, _ name: String, _ document: CounterDocument) {
    let own = "\(kind)\0\(name)"
    placedDocuments.withLock { placed in
      if placed[own]?.number == document.number { return }
      // The description of an earlier set of this name.
      if let old = placed.removeValue(forKey: own) { try? store.free(old.memory) }
      let isForAll = placed[kind] == nil
      if !isForAll, placed[kind]?.number == document.number { return }
      let label = SectionLabel("StatDoc", type: kind, name: isForAll ? "" : name)
      guard let memory = try? store.allocateDocument(document, as: label) else { return }
      placed[isForAll ? kind : own] = (document.number, memory)
    }
  }

  /// Makes a section of any class that readers find by its class and name.
  ///
  /// - Parameter contents: fills it before readers can find it.
  /// - Throws: `LogWriterError.exhausted` if a single file has no room; other cases for a name that no
  ///   section can have, or if the system refuses.
  public func addSection(
    _ kind: String, type: String = "", name: String, byteCount: Int,
    contents: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
  ) throws(LogWriterError) -> LogSection {
    guard byteCount > 0 else {
      throw .invalid(option: "byteCount", problem: "a section of \(byteCount) bytes can't be made")
    }
    let label = SectionLabel(kind, type: type, name: name)
    let memory = unsafe try store.allocate(label, byteCount: byteCount) { memory in
      unsafe contents(UnsafeMutableRawBufferPointer(start: memory, count: byteCount))
    }
    return LogSection(label, in: store, memory)
  }
}
