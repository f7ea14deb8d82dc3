import Glibc

/// A server of 2.1: a head, and bytes behind it (`shm-layout.md` 2).
public final class Server21: PlayedServer {
  /// Whether it has a list of sections.
  public static let hasList = false
  /// Whether others can write its file.
  public static let canBeTakenOver = true
  /// Its file.
  public let file: MappedFile
  private var position = 0
  private var cycles: UInt64 = 0
  private var master = getpid()
  private var birth = Int64(time(nil))

  /// The size of the log area.
  public static let areaByteCount = 1 << 16
  /// Where it begins.
  public static let areaStart = headByteCount + 304
  private static let headByteCount = 40 + 8 * 107 + 65536
  private static let cyclesOffset = 40 + 8 * 66

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    file = try MappedFile(path: directory + "/_.vsl", byteCount: Self.areaStart + Self.areaByteCount)
    file.store(UInt32(Self.headByteCount), at: 4)
    file.store(UInt32(Self.areaStart), at: 24)
    file.store(UInt32(Self.areaByteCount), at: 28)
    storeProcesses()
    file.store(UInt32(4_185_512_499), at: 0)
    try file.publish()
  }

  private func storeProcesses() {
    file.store(UInt64(birth), at: 8)
    file.store(UInt32(bitPattern: master), at: 16)
    file.store(UInt32(bitPattern: master + 1), at: 20)
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    for (tag, text) in OldRequest.records(path, number: number) {
      append(OldRequest.numbersIn21[tag] ?? 0, id: UInt32(number % 500 + 3), text)
    }
  }

  /// Writes a record.
  public func append(_ tag: UInt8, id: UInt32, _ text: String) {
    let text = Array(text.utf8)
    if position + 8 + text.count + 1 >= Self.areaByteCount {
      store(0, at: 0)
      store(255, at: position)
      position = 0
      storePosition()
      cycles += 1
      file.store(cycles, at: Self.cyclesOffset)
    }
    let start = position
    for (index, byte) in (text + [0, 0]).enumerated() { store(byte, at: start + 7 + index) }
    let length = UInt16(text.count)
    let head = [UInt8(length >> 8), UInt8(length & 0xFF)] + withUnsafeBytes(of: id.bigEndian) { Array($0) }
    for (index, byte) in head.enumerated() { store(byte, at: start + 1 + index) }
    position += 8 + text.count
    storePosition()
    store(tag, at: start)
  }

  private func storePosition() { file.store(UInt32(position), at: 32) }

  private func store(_ byte: UInt8, at offset: Int) { file.store([byte], at: Self.areaStart + offset) }

  /// Has another process write the file.
  public func takeOver() {
    (master, birth) = (master + 7, birth + 1)
    storeProcesses()
  }

  /// The same by one that begins at the front, and counts from there.
  public func takeOverAnew() {
    store(0, at: 0)
    position = 0
    storePosition()
    cycles = 0
    file.store(cycles, at: Self.cyclesOffset)
    takeOver()
  }

  /// Ends in an orderly way.
  public func leave() { file.store(UInt32(0), at: 16) }
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

  static let numbersIn21: [String: UInt8] = [
    "ReqEnd": 5, "Length": 14, "RxRequest": 16, "RxURL": 19, "RxProtocol": 20, "RxHeader": 21,
    "TxResponse": 23, "TxStatus": 24, "TxProtocol": 26, "VCL_call": 37, "ReqStart": 41,
  ]

  static let numbersIn30: [String: UInt8] = [
    "ReqEnd": 4, "Length": 13, "RxRequest": 15, "RxURL": 18, "RxProtocol": 19, "RxHeader": 20,
    "TxResponse": 22, "TxStatus": 23, "TxProtocol": 25, "VCL_call": 37, "ReqStart": 41,
  ]
}
