/// The shared-memory file of a server of 4.0 to 5.1, written by a test (`shm-layout.md` 4).
public final class ChunkFile {
  /// The file.
  public let file: MappedFile
  /// The chunks in the file, in the order of the list.
  private var chunks: [(offset: Int, length: Int, kind: String)] = []
  private var listNumber: UInt32
  private var age: UInt64 = 0
  private var free = 48

  /// Makes an empty file that no reader finds before it is published.
  public init(path: String, byteCount: Int, listNumber: UInt32 = 77_777) throws(SupportError) {
    file = try MappedFile(path: path, byteCount: byteCount)
    self.listNumber = listNumber
    file.store(UInt64(0x3044_4145_484D_5356), at: 0)
    file.store(UInt64(48), at: 8)
    file.store(UInt64(byteCount), at: 16)
    file.store(listNumber, at: 32)
  }

  /// Makes a chunk behind all others.
  ///
  /// - Returns: where its contents lie.
  public func allocate(_ kind: String, type: String = "", name: String = "", byteCount: Int) -> Range<Int> {
    let length = (byteCount + 168 + 15) & ~15
    precondition(free + length <= file.byteCount, "the file is full")
    let offset = free
    free += length
    file.store(UInt64(0x4B4E_5548_434D_5356), at: offset)
    file.store(UInt64(length), at: offset + 8)
    file.store(UInt64(0), at: offset + 16)
    file.store(kind, at: offset + 24, room: 8)
    file.store(type, at: offset + 32, room: 8)
    file.store(name, at: offset + 40, room: 128)
    file.store(UInt64(offset), at: chunks.last.map { $0.offset + 16 } ?? 24)
    chunks.append((offset, length, kind))
    count()
    return offset + 168..<offset + length
  }

  /// Frees the last chunk of a kind; nothing if there is none.
  public func free(_ kind: String) {
    guard let index = chunks.lastIndex(where: { $0.kind == kind }) else { return }
    let next = index + 1 < chunks.count ? chunks[index + 1].offset : 0
    file.store(UInt64(next), at: index > 0 ? chunks[index - 1].offset + 16 : 24)
    file.store(UInt64(0), at: chunks[index].offset + 8)
    // A server would let the space cool down. Here the last chunk's space is reused at once, as no reader
    // looks at it, except for a log's.
    if index == chunks.count - 1, kind != "Log" { free = chunks[index].offset }
    chunks.remove(at: index)
    count()
  }

  private func count() {
    listNumber &+= 2
    file.store(listNumber, at: 32)
  }

  /// Marks the file as abandoned.
  public func abandon() { file.store(UInt32(0), at: 32) }

  /// Advances the age in the file's head by a second.
  public func tick() {
    age += 1
    file.store(age, at: 40)
  }

  /// Sets the age, as if the file had been begun anew.
  public func setAge(_ seconds: UInt64) {
    age = seconds
    file.store(age, at: 40)
  }
}

/// A server of 4.1 to 5.1.
public final class Server41: PlayedServer {
  /// Whether it has a list of sections.
  public static let hasList = true
  /// Whether others can write its file.
  public static let canBeTakenOver = false
  /// Its file.
  public let chunks: ChunkFile
  /// Its log.
  public private(set) var ring: RingWriter
  private static let eighthWords = 2048

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    chunks = try ChunkFile(path: directory + "/_.vsm", byteCount: 1 << 18)
    _ = chunks.allocate("Arg", type: "-T", byteCount: 200)
    ring = Self.makeLog(in: chunks)
    _ = chunks.allocate("Stat", type: "MAIN", byteCount: 800)
    try chunks.file.publish()
  }

  private static func makeLog(in chunks: ChunkFile) -> RingWriter {
    let log = chunks.allocate("Log", byteCount: 88 + eighthWords * 32)
    return RingWriter(in: chunks.file, at: log.lowerBound, layout: .twoWord, eighthWords: eighthWords)
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    ring.append(batch: SampleRecord.request(path, number: number, tags: .v7))
  }

  /// Frees a section and makes one.
  public func changeList() {
    chunks.free("Made")
    _ = chunks.allocate("Made", type: "VBE", name: "boot.default", byteCount: 80)
  }

  /// Begins another log in a new section.
  public func moveLog() {
    chunks.free("Log")
    ring = Self.makeLog(in: chunks)
  }

  /// Ends in an orderly way.
  public func leave() { chunks.abandon() }
  /// Counts a second.
  public func tick() { chunks.tick() }
}

/// A server of 4.0.
public final class Server40: PlayedServer {
  /// Whether it has a list of sections.
  public static let hasList = true
  /// Whether others can write its file.
  public static let canBeTakenOver = false
  /// Its file.
  public let chunks: ChunkFile
  /// Its log.
  public private(set) var ring: TurningRingWriter
  private static let byteCount = 1 << 16

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    chunks = try ChunkFile(path: directory + "/_.vsm", byteCount: 1 << 18)
    _ = chunks.allocate("Arg", type: "-T", byteCount: 200)
    // So that the count of turns overflows soon.
    ring = Self.makeLog(in: chunks, turn: .max - 1)
    _ = chunks.allocate("Stat", type: "MAIN", byteCount: 800)
    try chunks.file.publish()
  }

  private static func makeLog(in chunks: ChunkFile, turn: UInt32) -> TurningRingWriter {
    let log = chunks.allocate("Log", byteCount: byteCount)
    return TurningRingWriter(in: chunks.file, at: log.lowerBound, byteCount: log.count, turn: turn)
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    ring.append(batch: SampleRecord.request(path, number: number, tags: .v40))
  }

  /// Frees a section and makes one.
  public func changeList() {
    chunks.free("Made")
    _ = chunks.allocate("Made", type: "VBE", name: "boot.default", byteCount: 80)
  }

  /// Begins another log in a new section.
  public func moveLog() {
    chunks.free("Log")
    ring = Self.makeLog(in: chunks, turn: 1)
  }

  /// Ends in an orderly way.
  public func leave() { chunks.abandon() }
  /// Counts a second.
  public func tick() { chunks.tick() }
}
