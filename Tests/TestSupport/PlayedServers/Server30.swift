import Glibc

/// A server of 3.0, whose file has a head, contiguous sections, and a ring of words (`shm-layout.md` 3).
public final class Server30: PlayedServer {
  /// Whether it has a list of sections.
  public static let hasList = true
  /// Whether others can write its file.
  public static let canBeTakenOver = true
  /// Its file.
  public let file: MappedFile
  private var sections: [(offset: Int, length: Int, kind: String)] = []
  private var listNumber: UInt32 = 4711
  private var master = getpid()
  private var birth = Int64(time(nil))
  private var ring = 0, ringWords = 0
  private var position = 1
  private var turn: UInt32 = 0xFFFF_FFFE

  private static let firstSection = 65568
  private static let header = 156
  private static let endMark: UInt32 = 0xFF45_4545
  private static let wrapMark: UInt32 = 0xFF57_5757

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    file = try MappedFile(path: directory + "/_.vsm", byteCount: 1 << 19)
    file.store(UInt32(65728), at: 4)
    file.store(UInt32(file.byteCount), at: 24)
    storeProcesses()
    write((Self.firstSection, file.byteCount - Self.firstSection, "Free"), append: true)
    _ = allocate("Stat", byteCount: 784)
    makeLog()
    _ = allocate("MgrCld", byteCount: 0)
    file.store(listNumber, at: 65564)
    file.store(UInt32(4_185_512_502), at: 0)
    try file.publish()
  }

  private func storeProcesses() {
    file.store(UInt64(birth), at: 8)
    file.store(UInt32(bitPattern: master), at: 16)
    file.store(UInt32(bitPattern: master + 1), at: 20)
  }

  // MARK: The list

  private func write(_ section: (offset: Int, length: Int, kind: String), append: Bool = false) {
    file.store(UInt32(0x4390_7B6E), at: section.offset)
    file.store(UInt32(section.length), at: section.offset + 4)
    file.store(UInt32(0), at: section.offset + 8)
    file.store(section.kind, at: section.offset + 12, room: 8)
    file.store("", at: section.offset + 20, room: 8)
    file.store("", at: section.offset + 28, room: 128)
    if append { sections.append(section) }
  }

  /// Cuts a section off the free rest at the end.
  private func allocate(_ kind: String, byteCount: Int) -> Int {
    let rest = sections.removeLast()
    let length = (byteCount + 7) & ~7 + Self.header
    precondition(rest.length - length > Self.header, "the file is full")
    write((rest.offset + length, rest.length - length, "Free"))
    write((rest.offset, length, kind), append: true)
    sections.append((rest.offset + length, rest.length - length, "Free"))
    return rest.offset + Self.header
  }

  private func cool(_ kind: String) {
    guard let index = sections.lastIndex(where: { $0.kind == kind }) else { return }
    file.store(UInt32(100), at: sections[index].offset + 8)
    file.store("Cool", at: sections[index].offset + 12, room: 8)
    sections[index].kind = "Cool"
  }

  /// Merges cooled sections into the free rest if they lie directly in front of it, and wipes their contents.
  private func reclaim() {
    while sections.count > 1, case let last = sections[sections.count - 2], last.kind == "Cool" {
      let rest = sections.removeLast()
      sections.removeLast()
      write((last.offset, last.length + rest.length, "Free"), append: true)
      file.store([UInt8](repeating: 0xAA, count: last.length - Self.header), at: last.offset + Self.header)
    }
  }

  /// Marks the list as being changed.
  public func beginChange() { file.store(UInt32(0), at: 65564) }

  /// Marks the list as complete, with a new number.
  public func endChange() {
    listNumber &+= 1
    file.store(listNumber, at: 65564)
  }

  /// Frees a section and makes one.
  public func changeList() {
    beginChange()
    cool("Made")
    reclaim()
    _ = allocate("Made", byteCount: 80)
    endChange()
  }

  /// Begins another log in a new section.
  public func moveLog() {
    beginChange()
    cool("Log")
    makeLog()
    endChange()
  }

  // MARK: The log

  private func makeLog() {
    ring = allocate("Log", byteCount: 1 << 16)
    ringWords = 1 << 14
    position = 1
    store(Self.endMark, at: 1)
    store(turn, at: 0)
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    for (tag, text) in OldRequest.records(path, number: number) {
      append(OldRequest.numbersIn30[tag] ?? 0, id: UInt32(number % 500 + 3), text)
    }
  }

  /// Writes a record.
  public func append(_ tag: UInt8, id: UInt32, _ text: String) {
    let bytes = Array(text.utf8)
    let payload = bytes.packedIntoWords
    let words = 2 + payload.count
    if position + words >= ringWords { wrap() }
    let start = position
    position += words
    store(Self.endMark, at: position)
    for (index, word) in payload.enumerated() { store(word, at: start + 2 + index) }
    store(id, at: start + 1)
    store(UInt32(tag) << 24 | UInt32(bytes.count), at: start)
  }

  /// Begins again at the front, as a server does when the ring is full and when a worker is started.
  public func wrap() {
    store(Self.endMark, at: 1)
    turn = turn == .max ? 1 : turn + 1
    store(turn, at: 0)
    store(Self.wrapMark, at: position)
    position = 1
  }

  private func store(_ word: UInt32, at index: Int) { file.store(word, at: ring + index * 4) }

  /// Makes the file look as if another process wrote it now.
  public func takeOver() {
    (master, birth) = (master + 7, birth + 1)
    storeProcesses()
  }

  /// Ends in an orderly way.
  public func leave() { file.store(UInt32(0), at: 16) }
}
