import Glibc

/// A change to a log.
enum Damage: CustomStringConvertible {
  /// The file is cut to this many bytes.
  case cut(to: Int)
  /// The byte at an offset is replaced.
  case changed(at: Int, to: UInt8)

  var description: String {
    switch self {
    case .cut(let byteCount): "cut to \(byteCount) bytes"
    case .changed(let offset, let byte): "byte \(offset) set to \(byte)"
    }
  }
}

/// A copy of a log that can be damaged and restored.
final class DamagedLog {
  let path: String
  let bytes: [UInt8]
  private let descriptor: Int32

  private static let stride = 997

  init(copying original: String, to path: String) throws {
    let source = open(original, O_RDONLY)
    guard source >= 0 else { throw ProbeError("open \(original)") }
    defer { close(source) }
    var state = stat()
    guard fstat(source, &state) == 0 else { throw ProbeError("stat \(original)") }
    let byteCount = Int(state.st_size)
    bytes = try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      while count < byteCount, let base = buffer.baseAddress {
        let got = read(source, base + count, byteCount - count)
        guard got > 0 else { throw ProbeError("read \(original)") }
        count += got
      }
    }
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw ProbeError("make \(path)") }
    try write(from: 0)
  }

  deinit { close(descriptor) }

  /// How many damages are cuts.
  var cutCount: Int { (bytes.count + Self.stride - 1) / Self.stride }

  /// The damage with a given number.
  func damage(_ number: Int, seed: UInt64) -> Damage {
    if number < cutCount { return .cut(to: number * Self.stride) }
    var random = seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    func next() -> UInt64 {
      random &+= 0x9E37_79B9_7F4A_7C15
      var mixed = random
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
    let place = Int(next() % UInt64(bytes.count))
    return .changed(at: place, to: bytes[place] ^ UInt8(1 + next() % 255))
  }

  func apply(_ damage: Damage) throws {
    switch damage {
    case .cut(let byteCount):
      guard ftruncate(descriptor, byteCount) == 0 else { throw ProbeError("cut \(path)") }
    case .changed(let offset, let byte):
      var byte = byte
      guard pwrite(descriptor, &byte, 1, offset) == 1 else { throw ProbeError("write \(path)") }
    }
  }

  func mend(_ damage: Damage) throws {
    switch damage {
    case .cut(let byteCount): try write(from: byteCount)
    case .changed(let offset, _): try apply(.changed(at: offset, to: bytes[offset]))
    }
  }

  private func write(from start: Int) throws {
    var at = start
    try bytes.withUnsafeBytes { buffer in
      while at < buffer.count, let base = buffer.baseAddress {
        let count = pwrite(descriptor, base + at, buffer.count - at, at)
        guard count > 0 else { throw ProbeError("write \(path)") }
        at += count
      }
    }
  }
}

struct ProbeError: Error {
  let operation: String, errno: Int32

  init(_ operation: String) {
    self.operation = operation
    errno = Glibc.errno
  }
}
