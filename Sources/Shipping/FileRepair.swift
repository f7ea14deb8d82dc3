import Glibc
import Platform

/// Makes a file that is going to be appended to end in a whole line or a whole gzip member again.
///
/// A process that was killed in the middle of a write leaves half of one. Only that is ever cut;
/// a compressed file that is damaged in another way is not touched.
struct FileRepair {
  let path: String
  let isCompressed: Bool
  /// What there is to know of the records, if they aren't lines.
  let binary: BinaryContent?
  /// The lines that a file begins with; one that has only part of them is no file yet.
  let header: [UInt8]
  let system: SystemCalls

  /// What was found and done.
  enum Outcome: Equatable {
    /// There is no such file, or nothing is wrong with it.
    case whole
    /// This many bytes were cut off, so that this many are left.
    case cut(bytes: Int, left: Int)
    /// There is damage that is no mere cut; what was written before it ends at the offset.
    case damaged(at: Int)
  }

  func run() throws(SinkError) -> Outcome {
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_RDWR)
    } catch .noEntry {
      return .whole
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    defer { try? system.close(descriptor) }
    do {
      let status = try system.status(descriptor)
      let byteCount = Int(status.st_size)
      let left: Int
      if isCompressed {
        switch try GzipScan(descriptor: descriptor, system: system) {
        case .whole:
          return .whole
        case .torn(let wholeBytes):
          left = wholeBytes
        case .damaged(let wholeBytes):
          return .damaged(at: wholeBytes)
        case .foreign:
          return .damaged(at: 0)
        }
      } else if let binary {
        guard byteCount > 0 else { return .whole }
        // Fewer bytes than the marker has are no file yet.
        if byteCount < MemoryLayout<UInt32>.size {
          left = 0
        } else if let wholeByteCount = binary.wholeByteCount(path) {
          left = wholeByteCount
        } else {
          return .damaged(at: 0)
        }
      } else if try isBinary(descriptor) {
        return .damaged(at: 0)
      } else if try isPartOfHeader(descriptor, byteCount: byteCount) {
        left = 0
      } else {
        left = try endOfLastLine(descriptor, byteCount: byteCount)
      }
      guard left < byteCount else { return .whole }
      try system.truncate(descriptor, to: left)
      FaultPoint.repairCut.pass()
      // It is as old as its last line: rotation and retention go by that.
      try? system.restoreTimes(descriptor, status)
      return .cut(bytes: byteCount - left, left: left)
    } catch {
      throw SinkError(target: path, operation: "repair", errno: error)
    }
  }

  /// Whether a file that lines are to be added to begins as no text does, with a NUL among its first bytes:
  /// where its last line ends, nobody could tell.
  private func isBinary(_ descriptor: Int32) throws(Errno) -> Bool {
    let beginning = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 4)
    defer { beginning.deallocate() }
    let count = try system.readFully(descriptor, into: beginning, at: 0)
    return beginning.prefix(count).contains(0)
  }

  private func isPartOfHeader(_ descriptor: Int32, byteCount: Int) throws(Errno) -> Bool {
    guard byteCount > 0, byteCount < header.count else { return false }
    let beginning = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { beginning.deallocate() }
    let count = try system.readFully(descriptor, into: beginning, at: 0)
    return beginning.prefix(count).elementsEqual(header.prefix(byteCount))
  }

  /// The offset behind the last newline; 0 if there is none.
  private func endOfLastLine(_ descriptor: Int32, byteCount: Int) throws(Errno) -> Int {
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { chunk.deallocate() }
    var end = byteCount
    while end > 0 {
      let start = max(0, end - chunk.count)
      let wanted = UnsafeMutableRawBufferPointer(rebasing: chunk.prefix(end - start))
      let count = try system.readFully(descriptor, into: wanted, at: start)
      if let newline = wanted.prefix(count).lastIndex(of: UInt8(ascii: "\n")) {
        return start + newline + 1
      }
      end = start
    }
    return 0
  }
}
