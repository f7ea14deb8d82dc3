import VarnishLog
import Glibc
import LogReading
import LogWriting
import TestSupport
import Testing

/// The library's own reader, with the writer stopped between any two of its stores.
struct RingStepTests {
  /// A log's file whose ring a test fills store by store.
  private final class PlayedRing {
    let writer: LogWriter
    private let map: UnsafeMutableRawPointer
    private let byteCount = 1 << 16
    private static let headByteCount = 88

    init(_ directory: String, eighthWords: Int) throws {
      var options = LogWriterOptions(.indexed(.v41))
      options.logByteCount = byteCount
      options.textByteCountMax = 1000
      options.batchByteCount = 4096
      writer = try LogWriter(directory: directory, options: options)
      let set = directory + "/_.vsm_child/"
      guard let name = directoryEntries(set).first(where: { $0.hasPrefix("_.Log.") }) else {
        throw SupportError("no log in \(set)")
      }
      let file = open(set + name, O_RDWR | O_CLOEXEC)
      defer { close(file) }
      guard let map = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), map != MAP_FAILED
      else {
        throw SupportError("map \(name)", errno: errno)
      }
      self.map = map
      map.storeBytes(of: eighthWords, toByteOffset: 8, as: Int.self)
    }

    deinit { munmap(map, byteCount) }

    func apply(_ store: ModelStore) {
      switch store {
      case .word(let value, let index, _):
        map.storeBytes(of: value, toByteOffset: Self.headByteCount + index * 4, as: UInt32.self)
      case .firstRecord(let index, let slot):
        map.storeBytes(of: index, toByteOffset: 24 + slot * 8, as: Int.self)
      case .segment(let number): map.storeBytes(of: number, toByteOffset: 16, as: UInt32.self)
      case .fence: break
      }
    }

    func apply(_ memory: ModelMemory) {
      for (index, word) in memory.words.enumerated() { apply(.word(word, at: index, releasing: false)) }
      for (slot, index) in memory.firstRecords.enumerated() { apply(.firstRecord(index, slot: slot)) }
      apply(.segment(memory.segment))
    }
  }

  @Test(arguments: [LogStart.head, .tail])
  func `what is handed out is whole, whenever it is read and whenever it is used`(start: LogStart) throws {
    let log = ModelLog(eighthWords: 4, sizes: (0..<22).map { [3, 4, -4, 3, 4, 3][$0 % 6] })
    let stores = log.pieces.flatMap(\.stores)
    // The state of the memory after each store.
    let memories = stores.reduce(into: [log.emptyMemory]) { memories, store in
      var memory = memories[memories.count - 1]
      memory.apply(store)
      memories.append(memory)
    }
    let directory = try TemporaryDirectory()
    let ring = try PlayedRing(directory.path, eighthWords: log.eighthWords)
    var delivered = 0
    var discarded = 0
    var overruns = 0
    for attached in stride(from: 0, to: stores.count, by: 3) {
      for read in attached..<stores.count where (read - attached) % 3 == 0 || read - attached < 20 {
        ring.apply(memories[attached])
        var follower = InstanceFollower(path: directory.path)
        follower.refresh()
        guard case .narrow(var reader) = try follower.attach(start: start, stopsAtTail: false) else {
          throw SupportError("no narrow log")
        }
        ring.apply(memories[read])
        switch try reader.next() {
        case .idle, .end, .gap: continue
        case .overrun: overruns += 1
        case .damaged(let error):
          Issue.record("attached at \(attached), read at \(read): \(error)")
          return
        case .records(let run):
          // What was read is used at every later moment: it must be right, or be recognised as overwritten.
          for used in read...stores.count {
            if used > read { ring.apply(stores[used - 1]) }
            let words = (0..<run.byteCount / 4).map {
              run.start.load(fromByteOffset: $0 * 4, as: UInt32.self)
            }
            guard reader.isIntact else {
              discarded += 1
              break
            }
            delivered += 1
            // A batch is handed over without its header.
            let isWhole = log.pieces.contains { $0.words == words || Array($0.words.dropFirst(2)) == words }
            guard isWhole, !words.isEmpty else {
              Issue.record("attached at \(attached), read at \(read), used at \(used): \(words)")
              return
            }
          }
        }
      }
    }
    #expect(delivered > 1000 && discarded > 100)
    #expect(overruns > 100)
  }
}
