import Glibc
import Synchronization

/// A log in shared memory that a test writes to as a server does, for readers in this process or in others.
///
/// The segment is a file, mapped shared. Its words are stored in the order, and with the barriers, that
/// readers rely on: reservation, contents, and the record's first word last. Only one thread at a time may
/// reserve; commits may come in any order and from any thread.
public final class RingWriter: @unchecked Sendable {
  /// Space in the ring that has been taken and shows as the end of the log until it is committed.
  public struct Reservation: Sendable {
    fileprivate let start: Int
    fileprivate let words: [UInt32]
  }

  static let endMark: UInt32 = 0xFE45_4545
  static let wrapMark: UInt32 = 0xFE57_5757
  static let headBytes = 88

  /// How records are laid out.
  public let layout: SampleLayout
  /// The words of an eighth of the ring.
  public let eighthWords: Int
  /// The segment's file.
  public let path: String
  /// How often the writer has begun again at the front.
  public private(set) var turns = 0
  private let map: UnsafeMutableRawPointer
  /// The size of the mapping to be unmapped; 0 if the memory belongs to `file`.
  private let mapBytes: Int
  /// The file that holds the memory, if it isn't this writer's own; kept alive by this reference.
  private let file: MappedFile?
  private var position = 0
  private var segment: UInt32

  /// The number that a server gives the first eighth, so that the first turn's end overflows it.
  public static let firstSegment: UInt32 = 0xFFFF_FFF8

  /// Makes the segment's file and sets it up, marker last.
  ///
  /// - Parameter firstSegment: The first eighth's number, a multiple of 8; another than the default simulates
  ///   a log that has turned very often.
  public init(
    path: String, layout: SampleLayout, eighthWords: Int, firstSegment: UInt32 = RingWriter.firstSegment
  ) throws(SupportError) {
    segment = firstSegment
    self.layout = layout
    self.eighthWords = eighthWords
    self.path = path
    let bytes = Self.headBytes + eighthWords * 8 * 4
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    mapBytes = (bytes + page - 1) / page * page
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw SupportError("make \(path)", errno: errno) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(mapBytes)) == 0 else {
      throw SupportError("size \(path)", errno: errno)
    }
    let protection = PROT_READ | PROT_WRITE
    guard let map = mmap(nil, mapBytes, protection, MAP_SHARED, descriptor, 0), map != MAP_FAILED
    else { throw SupportError("map \(path)", errno: errno) }
    self.map = map
    file = nil
    setUp()
  }

  /// Sets up a log in a part of a file that holds more.
  public init(in file: MappedFile, at start: Int, layout: SampleLayout, eighthWords: Int) {
    segment = Self.firstSegment
    self.layout = layout
    self.eighthWords = eighthWords
    self.file = file
    path = file.path
    precondition(start % 8 == 0 && start + Self.headBytes + eighthWords * 32 <= file.byteCount)
    map = file.base + start
    mapBytes = 0
    setUp()
  }

  deinit { if mapBytes > 0 { munmap(map, mapBytes) } }

  /// How long the segment is, as its line in the index says.
  public var byteCount: Int { (Self.headBytes + eighthWords * 8 * 4 + 7) / 8 * 8 }

  /// The running number of the eighth that is being written, modulo 2^32.
  public var segmentNumber: UInt32 { segment }

  /// The word after the last reservation.
  public var writePosition: Int { position }

  /// Writes a record by itself.
  public func append(_ record: SampleRecord) {
    commit(reserve([record], batched: false))
  }

  /// Writes the records of a transaction in one piece.
  public func append(batch records: [SampleRecord]) {
    commit(reserve(records, batched: true))
  }

  /// Takes space without filling it, as a slow server thread does.
  ///
  /// Every reader waits in front of that space.
  public func reserve(_ records: [SampleRecord], batched: Bool = true) -> Reservation {
    var words = records.flatMap { $0.words(layout) }
    if batched {
      let bytes = UInt32(words.count * 4)
      let header = layout == .twoWord ? [0xFF00_0000, bytes] : [0xFF00_0000, bytes, 0xDEAD_BEEF]
      words = header + words
    }
    return Reservation(start: take(words.count), words: words)
  }

  /// Fills what was reserved and makes it visible.
  public func commit(_ reservation: Reservation) {
    for (index, word) in reservation.words.enumerated().dropFirst() {
      store(word, at: reservation.start + index)
    }
    store(reservation.words[0], at: reservation.start, releasing: true)
  }

  // MARK: - The ring

  private func setUp() {
    map.storeBytes(of: Int64(eighthWords), toByteOffset: 8, as: Int64.self)
    for eighth in 0..<8 { setOffset(UInt32(eighth), eighth == 0 ? 0 : -1) }
    store(Self.endMark, at: 0)
    publishSegment()
    let marker = Array(layout.segmentMarker.utf8)
    let value = marker.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    map.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(value, ordering: .releasing)
  }

  private func take(_ words: Int) -> Int {
    let capacity = eighthWords * 8
    precondition(words < capacity, "a record larger than the ring")
    if position + words >= capacity { wrap() }
    let start = position
    position += words
    store(Self.endMark, at: position)
    while position / eighthWords > Int(segment % 8) {
      segment &+= 1
      setOffset(segment % 8, Int64(position))
    }
    publishSegment()
    return start
  }

  private func wrap() {
    segment = (segment | 7) &+ 1
    setOffset(0, 0)
    store(Self.endMark, at: 0, releasing: true)
    if position != 0 { store(Self.wrapMark, at: position, releasing: true) }
    position = 0
    turns += 1
    publishSegment()
  }

  private func publishSegment() {
    // A reader that sees this number must also see everything stored before, above all the end mark.
    (map + 16).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
      .store(segment, ordering: .releasing)
  }

  private func setOffset(_ eighth: UInt32, _ value: Int64) {
    (map + 24 + Int(eighth) * 8).assumingMemoryBound(to: Atomic<Int64>.self).pointee
      .store(value, ordering: .relaxed)
  }

  private func store(_ value: UInt32, at index: Int, releasing: Bool = false) {
    let word = (map + Self.headBytes + index * 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    if releasing {
      word.pointee.store(value, ordering: .releasing)
    } else {
      word.pointee.store(value, ordering: .relaxed)
    }
  }
}
