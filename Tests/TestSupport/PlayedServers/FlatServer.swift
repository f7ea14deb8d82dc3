import Glibc

/// The differences between 2.0 and 2.1: the offsets in the head, and the format of records.
public protocol FlatRelease {
  /// The first word of the file.
  static var magic: UInt32 { get }
  /// The offset of the process identifiers; nil if the head doesn't have them.
  static var processesOffset: Int? { get }
  /// The offset of three words about the log: its offset, its size, and the write position.
  static var logOffset: Int { get }
  /// The size in bytes of the connection's number in a record's header.
  static var connectionByteCount: Int { get }
  /// The tag numbers by name.
  static var tags: [String: UInt8] { get }
}

/// The layout of 2.0.
public enum Release20: FlatRelease {
  /// The first word.
  public static let magic: UInt32 = 4_185_512_498
  /// Where the processes are, if they are told.
  public static let processesOffset: Int? = nil
  /// Where the head tells of the log.
  public static let logOffset = 16
  /// How many bytes a connection has.
  public static let connectionByteCount = 2
  /// The numbers of tags.
  public static let tags: [String: UInt8] = [
    "ReqEnd": 6, "Length": 17, "RxRequest": 18, "RxURL": 21, "RxProtocol": 22, "RxHeader": 23,
    "TxResponse": 25, "TxStatus": 26, "TxProtocol": 28, "VCL_call": 39, "ReqStart": 44,
  ]
}

/// The layout of 2.1.
public enum Release21: FlatRelease {
  /// The first word.
  public static let magic: UInt32 = 4_185_512_499
  /// Where the processes are, if they are told.
  public static let processesOffset: Int? = 16
  /// Where the head tells of the log.
  public static let logOffset = 24
  /// How many bytes a connection has.
  public static let connectionByteCount = 4
  /// The numbers of tags.
  public static let tags: [String: UInt8] = [
    "ReqEnd": 5, "Length": 14, "RxRequest": 16, "RxURL": 19, "RxProtocol": 20, "RxHeader": 21,
    "TxResponse": 23, "TxStatus": 24, "TxProtocol": 26, "VCL_call": 37, "ReqStart": 41,
  ]
}

/// A server of 2.0.
public typealias Server20 = FlatServer<Release20>
/// A server of 2.1.
public typealias Server21 = FlatServer<Release21>

/// A server of 2.0 or 2.1, whose log is bytes behind a head (`shm-layout.md` 2).
public final class FlatServer<Release: FlatRelease>: PlayedServer {
  /// Whether it has a list of sections.
  public static var hasList: Bool { false }
  /// Whether others can write its file.
  public static var canBeTakenOver: Bool { Release.processesOffset != nil }
  /// Its file.
  public let file: MappedFile
  private var position = 0
  private var cycles: UInt64 = 0
  private var master = getpid()
  private var birth = Int64(time(nil))

  /// The size of the log area.
  public static var areaByteCount: Int { 1 << 16 }
  /// The offset of the log area.
  public static var areaStart: Int { headByteCount + 304 }
  private static var headByteCount: Int { 40 + 8 * 107 + 65536 }
  private static var cyclesOffset: Int { 40 + 8 * 66 }

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    file = try MappedFile(path: directory + "/_.vsl", byteCount: Self.areaStart + Self.areaByteCount)
    file.store(UInt32(Self.headByteCount), at: 4)
    file.store(UInt32(Self.areaStart), at: Release.logOffset)
    file.store(UInt32(Self.areaByteCount), at: Release.logOffset + 4)
    storeProcesses()
    file.store(Release.magic, at: 0)
    try file.publish()
  }

  private func storeProcesses() {
    file.store(UInt64(birth), at: 8)
    guard let offset = Release.processesOffset else { return }
    file.store(UInt32(bitPattern: master), at: offset)
    file.store(UInt32(bitPattern: master + 1), at: offset + 4)
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    for (tag, text) in OldRequest.records(path, number: number) {
      append(Release.tags[tag] ?? 0, id: UInt32(number % 500 + 3), text)
    }
  }

  /// Writes a record.
  public func append(_ tag: UInt8, id: UInt32, _ text: String) {
    let text = Array(text.utf8)
    let head = 3 + Release.connectionByteCount
    if position + head + 1 + text.count + 1 >= Self.areaByteCount {
      store(0, at: 0)
      store(255, at: position)
      position = 0
      storePosition()
      cycles += 1
      file.store(cycles, at: Self.cyclesOffset)
    }
    let start = position
    for (index, byte) in (text + [0, 0]).enumerated() { store(byte, at: start + head + index) }
    let length = UInt16(text.count)
    let connection = withUnsafeBytes(of: id.bigEndian) { Array($0.suffix(Release.connectionByteCount)) }
    for (index, byte) in ([UInt8(length >> 8), UInt8(length & 0xFF)] + connection).enumerated() {
      store(byte, at: start + 1 + index)
    }
    position += head + 1 + text.count
    storePosition()
    store(tag, at: start)
  }

  private func storePosition() { file.store(UInt32(position), at: Release.logOffset + 8) }

  private func store(_ byte: UInt8, at offset: Int) { file.store([byte], at: Self.areaStart + offset) }

  /// Makes the file look as if another process wrote it now.
  public func takeOver() {
    (master, birth) = (master + 7, birth + 1)
    storeProcesses()
  }

  /// Makes the file look as if another process had begun it anew, at the front and with a count from 0.
  public func takeOverAnew() {
    store(0, at: 0)
    position = 0
    storePosition()
    cycles = 0
    file.store(cycles, at: Self.cyclesOffset)
    takeOver()
  }

  /// Ends in an orderly way.
  public func leave() {
    if let offset = Release.processesOffset { file.store(UInt32(0), at: offset) }
  }
}

/// What servers before 4.0 log of a request.
enum OldRequest {
  static func records(_ path: String, number: Int) -> [(tag: String, text: String)] {
    let xid = 1_000_000 + number
    return [
      ("ReqStart", "127.0.0.1 4711 \(xid)"), ("RxRequest", "GET"), ("RxURL", path),
      ("RxProtocol", "HTTP/1.1"),
      ("RxHeader", "Host: test"), ("VCL_call", "recv lookup"), ("VCL_call", "hash"),
      ("VCL_call", "miss fetch"), ("VCL_call", "deliver deliver"), ("TxProtocol", "HTTP/1.1"),
      ("TxStatus", "200"), ("TxResponse", "OK"), ("Length", "10"),
      ("ReqEnd", "\(xid) 1700000000.000000000 1700000000.100000000 0.000000001 0.1 0.000000001"),
    ]
  }

  static let numbersIn30: [String: UInt8] = [
    "ReqEnd": 4, "Length": 13, "RxRequest": 15, "RxURL": 18, "RxProtocol": 19, "RxHeader": 20,
    "TxResponse": 22, "TxStatus": 23, "TxProtocol": 25, "VCL_call": 37, "ReqStart": 41,
  ]
}
