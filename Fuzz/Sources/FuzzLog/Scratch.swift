import CFuzz
import FuzzSupport
import Glibc

/// A directory for the files that are made from inputs, laid out like an instance of the cache.
///
/// It lies in `TMPDIR`, or else in memory; the script that sets `TMPDIR` cleans up.
struct Scratch: Sendable {
  /// The directory.
  let path: String

  static let shared = Scratch()

  static let managerIndex = "_.vsm_mgt/_.index"
  static let workerIndex = "_.vsm_child/_.index"
  static let log = "_.vsm_child/_.Log.fuzz"
  static let capture = "capture.vsl"
  /// An instance of a server before 5.2.
  static let memory = "memory"

  private init() {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/dev/shm"
    path = parent + "/fuzzlog.\(getpid())"
    for directory in [path, path + "/_.vsm_mgt", path + "/_.vsm_child", path + "/" + Self.memory] {
      require(mkdir(directory, 0o700) == 0 || errno == EEXIST, "can't make \(directory)")
    }
    write(Array("# 1 1\n".utf8), to: Self.managerIndex)
  }

  /// Makes a file of these bytes.
  func write(_ bytes: [UInt8], to name: String) {
    let file = WritableFile(path + "/" + name)
    file.write(bytes, at: 0)
  }
}

/// A file that is being made or changed.
struct WritableFile: ~Copyable {
  private let descriptor: Int32

  /// Opens a file, empty at first.
  init(_ path: String) {
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    require(descriptor >= 0, "can't make \(path)")
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8], at offset: Int) {
    let count = pwrite(descriptor, bytes, bytes.count, off_t(offset))
    require(count == bytes.count, "can't write \(bytes.count) bytes")
  }

  func truncate(to byteCount: Int) { _ = ftruncate(descriptor, off_t(byteCount)) }
}

/// A pipe, filled and closed at its writing end.
struct FilledPipe: ~Copyable {
  private let descriptor: Int32

  /// A pipe with these bytes, or nil if they are too many.
  ///
  /// - Parameter packetByteCount: the size of a packet, in bytes; nil for reads of any size. The file's
  ///   marker is always a packet of its own.
  init?(_ bytes: [UInt8], packetByteCount: Int?) {
    var ends: [Int32] = [-1, -1]
    let (readsPackets, room): (CInt, CInt) = packetByteCount == nil ? (0, 1 << 20) : (1, 256 << 10)
    require(fuzz_make_pipe(&ends, readsPackets, room) == 0, "can't make a pipe")
    descriptor = ends[0]
    var at = 0
    var isWhole = true
    while at < bytes.count, isWhole {
      let wanted = at < 4 ? 4 : min(packetByteCount ?? .max, bytes.count - at)
      let count = bytes[at..<min(at + wanted, bytes.count)].withUnsafeBytes {
        write(ends[1], $0.baseAddress, $0.count)
      }
      isWhole = count > 0
      at += max(0, count)
    }
    close(ends[1])
    guard isWhole else { return nil }
  }

  deinit { close(descriptor) }

  /// A path that opens the reading end anew.
  var path: String { "/proc/self/fd/\(descriptor)" }
}
