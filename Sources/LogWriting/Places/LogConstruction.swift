import CShims
import VarnishLog

/// A new log with the sections that every log has.
struct LogConstruction {
  let store: any SectionStore
  let log: AppendableLog

  init(in place: LogPlace, _ options: LogWriterOptions) throws(LogWriterError) {
    var made: AppendableLog?
    var manager: CounterSet?
    if options.format == .singleFile {
      store = try SectionFile(in: place, options) { (store: SectionFile) throws(LogWriterError) in
        try Self.allocateIdentity(options.identity, in: store)
        // Sections behind this mark belong to the child.
        _ = unsafe try store.allocate(SectionLabel("MgrCld", name: ""), byteCount: 8) { _ in }
        // For readers that know of descriptions; readers of 3.0 have their own table.
        try store.allocateDocument(
          Self.workerDocument(places: OwnCounters.placesIn30), as: SectionLabel("StatDoc", name: ""))
        let set = try store.allocateCounters(
          SectionLabel("Stat", name: ""), count: OwnCounters.countIn30, nil)
        made = try Self.turningLog(options, set, in: store)
      }
    } else {
      store = try IndexedStore(
        in: place, options,
        manager: { (store: any SectionStore) throws(LogWriterError) in
          try Self.allocateIdentity(options.identity, in: store)
          let document = Self.managerDocument
          try store.allocateDocument(document)
          let set = try store.allocateCounters(SectionLabel("Stat", name: "MGT"), count: 2, document)
          set[1] = 1
          manager = set
        },
        worker: { (store: any SectionStore) throws(LogWriterError) in
          let document = Self.workerDocument()
          try store.allocateDocument(document)
          let set = try store.allocateCounters(
            SectionLabel("Stat", name: "MAIN"), count: OwnCounters.descriptions.count, document)
          made = try Self.segmentedLog(options, set, manager, in: store)
        })
    }
    guard let made else { throw .closed(path: place.directory.path) }
    log = made
  }

  private static func allocateIdentity(
    _ identity: String, in store: any SectionStore
  ) throws(LogWriterError) {
    let label =
      store is SectionFile ? SectionLabel("Arg", type: "-i", name: "") : SectionLabel("Arg", name: "-i")
    let bytes = Array(identity.utf8) + [0]
    _ = unsafe try store.allocate(label, byteCount: bytes.count) { memory in
      unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
    }
  }

  private static func workerDocument(places: [Int?]? = nil) -> CounterDocument {
    CounterDocument(
      name: "main", summary: "The writer of this log", order: 10, counters: OwnCounters.descriptions,
      places: places)
  }

  private static var managerDocument: CounterDocument {
    CounterDocument(
      name: "mgt", summary: "The process that keeps the log", order: 20,
      counters: [
        CounterDescription("uptime", "Seconds until the last record was written", format: .duration),
        CounterDescription("child_start", "Logs made", level: .diag),
      ])
  }

  // MARK: The log

  private static func segmentedLog(
    _ options: LogWriterOptions, _ counters: CounterSet, _ manager: CounterSet?,
    in store: any SectionStore
  ) throws(LogWriterError) -> AppendableLog {
    let head = RingLayout.byteCount
    let eighthWords = (options.logByteCount - head) / 4 / 8
    let pins = RingPins()
    var made: (SharedRing, RingAppender<SharedRing>)?
    let memory = unsafe try store.allocate(
      SectionLabel("Log", name: "Log"), byteCount: options.logByteCount
    ) { memory in
      let ring = unsafe SharedRing(words: memory + head, head: memory)
      let appender = RingAppender(ring, eighthWords: eighthWords, pins: pins)
      unsafe shim_store_u64(memory + RingLayout.segmentSizeOffset, UInt64(eighthWords))
      appender.setUp()
      let isWide = options.encoding == .wide
      unsafe shim_store_release_u64(memory, isWide ? WideRecords.ringMagic : NarrowRecords.ringMagic)
      made = (ring, appender)
    }
    guard let (ring, appender) = made else { throw .closed(path: "Log") }
    return AppendableLog(
      memory, ring, .segmented(appender), pins: pins,
      counters: OwnCounters(counters, indices: Array(0..<OwnCounters.descriptions.count), manager: manager),
      pieceByteCountMax: eighthWords * 4)
  }

  private static func turningLog(
    _ options: LogWriterOptions, _ counters: CounterSet, in store: any SectionStore
  ) throws(LogWriterError) -> AppendableLog {
    let ringWords = options.logByteCount / 4
    let pins = RingPins()
    var made: (SharedRing, TurningAppender<SharedRing>)?
    let memory = unsafe try store.allocate(
      SectionLabel("Log", name: ""), byteCount: options.logByteCount
    ) { memory in
      let ring = unsafe SharedRing(words: memory, head: memory)
      // A random number of 16 bits, so that a reader of an older log doesn't take this log's turn for that
      // one's.
      let appender = TurningAppender(
        ring, ringWords: ringWords, turn: UInt32.random(in: 1...UInt32(UInt16.max)), pins: pins)
      appender.setUp()
      made = (ring, appender)
    }
    guard let (ring, appender) = made else { throw .closed(path: "Log") }
    return AppendableLog(
      memory, ring, .turning(appender), pins: pins,
      counters: OwnCounters(counters, indices: OwnCounters.placesIn30),
      pieceByteCountMax: ringWords / 8 * 4)
  }
}
