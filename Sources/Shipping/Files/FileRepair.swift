import Compression
import Glibc
import Platform
import Spool

/// Makes a file that is going to be appended to end in a whole line, gzip member or zstd frame again.
///
/// A process that was killed in the middle of a write leaves part of a line or member. Only that part is ever
/// cut off, and no more than is written in one go; a file that is damaged in another way, or isn't of this
/// kind, is not touched.
struct FileRepair {
  let path: String
  /// The identity of the file that the path led to; another file isn't touched.
  let identity: FileIdentity
  /// The format that the file should be compressed in; nil if it should be plain.
  let compression: CompressionFormat?
  /// What the entries are; a file with only part of the header isn't begun yet.
  let content: EntryContent
  /// Whether the file's mark says that this output has made it: only then may it be nothing but a torn
  /// beginning.
  let isMarked: Bool
  let system: SystemCalls

  /// How many bytes at the end of a file a kill may have torn: more than a line or a member has.
  static let tornBytesMax = 4 << 20

  /// What was found and done.
  enum Outcome: Equatable {
    /// There is no such file, or nothing is wrong with it.
    case whole
    /// This many bytes were cut off, so that this many are left.
    case cut(bytes: Int, left: Int)
    /// No kill has left the file like this: it isn't, or isn't any more, a file of this output.
    case foreign(ForeignKind)
  }

  func run() throws(SystemError) -> Outcome {
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    } catch .noEntry {
      return .whole
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    defer { try? system.close(descriptor) }
    do {
      let status = try system.status(descriptor)
      // A file that has taken its place meanwhile is noticed when it is opened to be written to.
      guard FileIdentity(status) == identity, status.st_size > 0 else { return .whole }
      let byteCount = Int(status.st_size)
      let left: Int
      switch try examine(descriptor, byteCount: byteCount) {
      case .whole: return .whole
      case .torn(let wholeBytes): left = wholeBytes
      case .foreign(let kind): return .foreign(kind)
      }
      guard left < byteCount else { return .whole }
      guard byteCount - left <= Self.tornBytesMax else { return .foreign(.damaged) }
      try system.truncate(descriptor, to: left)
      FaultPoint.repairCut.pass()
      // The file's age is that of its last line, by which rotation and retention go.
      try? system.restoreTimes(descriptor, status)
      return .cut(bytes: byteCount - left, left: left)
    } catch {
      throw SystemError(operation: "repair", path: path, errno: error)
    }
  }

  private enum Finding {
    case whole
    case torn(wholeBytes: Int)
    case foreign(ForeignKind)
  }

  private func examine(_ descriptor: Int32, byteCount: Int) throws(Errno) -> Finding {
    if let compression { return try examine(descriptor, compression, byteCount: byteCount) }
    if let binary = content.binary {
      guard byteCount >= MemoryLayout<UInt32>.size,
        let wholeByteCount = binary.format.wholeByteCount(ofFile: Self.path(of: descriptor) ?? path)
      else {
        return isMarked && byteCount < MemoryLayout<UInt32>.size ? .torn(wholeBytes: 0) : .foreign(.notVSL)
      }
      return .torn(wholeBytes: wholeByteCount)
    }
    if let format = try PartScan.format(descriptor, system) { return .foreign(.compressed(format)) }
    if try isBinary(descriptor) { return .foreign(.notLines) }
    if try isPartOfHeader(descriptor, byteCount: byteCount) { return .torn(wholeBytes: 0) }
    let end = try endOfLastLine(descriptor, byteCount: byteCount)
    // Part of a line and nothing else may be anything.
    return end == 0 && !isMarked ? .foreign(.notLines) : .torn(wholeBytes: end)
  }

  private func examine(
    _ descriptor: Int32, _ format: CompressionFormat, byteCount: Int
  ) throws(Errno) -> Finding {
    switch try PartScan(format, descriptor: descriptor, system: system) {
    case .whole: return .whole
    case .damaged: return .foreign(.damaged)
    case .foreign: return .foreign(.notCompressed(format))
    case .torn(let wholeBytes):
      // Our files begin with a member of nothing but the header.
      let isBeginning = byteCount <= Self.emptyMemberBytes + (content.header?.count ?? 0)
      return wholeBytes > 0 || isMarked || isBeginning ? .torn(wholeBytes: wholeBytes) : .foreign(.damaged)
    }
  }

  /// The size of an empty member, rounded up.
  private static let emptyMemberBytes = 64

  /// A path of the open file, even if another file has its name by now; nil where there is no such path.
  private static func path(of descriptor: Int32) -> String? {
    let path = "/proc/self/fd/\(descriptor)"
    return unsafe access(path, F_OK) == 0 ? path : nil
  }

  /// Whether a file that lines are to be appended to begins as no text does, with a NUL among its first
  /// bytes: then the end of its last line can't be found.
  private func isBinary(_ descriptor: Int32) throws(Errno) -> Bool {
    let beginning = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 4)
    defer { unsafe beginning.deallocate() }
    let count = unsafe try system.readFully(descriptor, into: beginning, at: 0)
    return unsafe beginning.prefix(count).contains(0)
  }

  private func isPartOfHeader(_ descriptor: Int32, byteCount: Int) throws(Errno) -> Bool {
    guard let header = content.header, byteCount > 0, byteCount < header.count else { return false }
    let beginning = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { unsafe beginning.deallocate() }
    let count = unsafe try system.readFully(descriptor, into: beginning, at: 0)
    return unsafe beginning.prefix(count).elementsEqual(header.prefix(byteCount))
  }

  /// The offset behind the last newline; 0 if there is none where a kill could have left it.
  private func endOfLastLine(_ descriptor: Int32, byteCount: Int) throws(Errno) -> Int {
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { unsafe chunk.deallocate() }
    var end = byteCount
    while end > 0, byteCount - end <= Self.tornBytesMax {
      let start = max(0, end - chunk.count)
      let wanted = unsafe UnsafeMutableRawBufferPointer(rebasing: chunk.prefix(end - start))
      let count = unsafe try system.readFully(descriptor, into: wanted, at: start)
      if let newline = unsafe wanted.prefix(count).lastIndex(of: UInt8(ascii: "\n")) {
        return start + newline + 1
      }
      end = start
    }
    return 0
  }
}
