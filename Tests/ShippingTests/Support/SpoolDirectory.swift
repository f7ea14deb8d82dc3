import Glibc
import Platform
@testable import Shipping
@testable import Spool

/// The files of a spool, which a test can inspect and damage.
struct SpoolDirectory {
  private struct Frame {
    let file: String
    let range: Range<Int>
    let sequences: Range<Int>
  }

  private let temporary = TemporaryDirectory(isInMemory: true)
  private var frames: [Frame] = []

  var path: String { temporary.path }
  private var names: [String] { temporary.names.filter { $0 != "cursor" } }

  // MARK: Knowing

  /// Records which frames are in files now.
  mutating func learn(_ stored: [SpoolDisk.StoredFrame]) {
    for frame in stored { learn(frame.file, frame.offset, frame.frame) }
  }

  /// Records all frames in all files.
  mutating func learnAll() {
    for number in names.compactMap(SpoolFile.number) {
      guard case .found(let file)? = try? SpoolFile.find(number, in: path, system: .real),
        let found = try? file.frames()
      else { continue }
      for (offset, frame) in found { learn(file, offset, frame) }
    }
  }

  private mutating func learn(_ file: SpoolFile, _ offset: Int, _ frame: SpoolFrame) {
    let name = SpoolFile.fileName(file.number)
    let range = offset..<offset + SpoolFrame.byteCount + frame.bodyByteCount
    if frames.contains(where: { $0.file == name && $0.range == range }) { return }
    frames.append(Frame(file: name, range: range, sequences: frame.firstSequence..<frame.endSequence))
  }

  mutating func forget() { frames = [] }

  /// Whether an entry is in a file that is still there.
  func isOnDisk(_ sequence: Int) -> Bool {
    frames.contains { $0.sequences.contains(sequence) && access(temporary.file($0.file), F_OK) == 0 }
  }

  /// The total size of the files, in bytes.
  var byteCount: Int {
    names.reduce(0) { $0 + Int(SystemCalls.real.status(ofPath: temporary.file($1))?.st_size ?? 0) }
  }

  /// How many removed files this process holds open.
  var openRemovedFileCount: Int {
    let descriptors = (try? SystemCalls.real.names(inDirectory: "/proc/self/fd")) ?? []
    return descriptors.count { name in
      var target = [CChar](repeating: 0, count: 4096)
      guard readlink("/proc/self/fd/\(name)", &target, target.count - 1) > 0 else { return false }
      let text = String(nulTerminated: target)
      return text.hasPrefix(path + "/spool-") && text.hasSuffix(" (deleted)")
    }
  }

  /// A copy of the files in another directory.
  func copy() -> SpoolDirectory {
    var copy = SpoolDirectory()
    copy.frames = frames
    for name in temporary.names { copy.temporary.write(name, temporary.bytes(name)) }
    return copy
  }

  // MARK: Damaging

  /// Damages the files.
  ///
  /// - Parameter isOpen: whether a run has the files open, so that removing them loses nothing.
  /// - Returns: whether an entry, given by its sequence, may be lost by the damage.
  mutating func apply(_ damage: SpoolScenario.Damage, whileOpen isOpen: Bool) -> (Int) -> Bool {
    switch damage {
    case .flip(let file, let place, let bit):
      return change(file) { bytes in
        guard !bytes.isEmpty else { return 0..<0 }
        bytes[place % bytes.count] ^= 1 << UInt8(bit)
        return place % bytes.count..<place % bytes.count + 1
      }
    case .cut(let file, let place):
      return change(file) { bytes in
        let size = place % (bytes.count + 1)
        defer { bytes.removeLast(bytes.count - size) }
        return size..<Int.max
      }
    case .clear(let file, let place, let length):
      return change(file) { bytes in
        let start = place % (bytes.count + 1)
        let range = start..<min(start + length, bytes.count)
        for index in range { bytes[index] = 0 }
        return range
      }
    case .lengthen(let file, let count):
      return change(file) { bytes in
        bytes += (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        return 0..<0
      }
    case .remove(let file): return remove(names.isEmpty ? [] : [names[file % names.count]], isOpen)
    case .removeDirectory:
      let all = names
      unlink(temporary.file("cursor"))
      let isLost = remove(all, isOpen)
      if isOpen { rmdir(path) }
      return isLost
    case .removeCursor: unlink(temporary.file("cursor"))
    case .flipCursor(let place, let bit):
      var bytes = temporary.bytes("cursor")
      guard !bytes.isEmpty else { break }
      bytes[place % bytes.count] ^= 1 << UInt8(bit)
      temporary.overwrite("cursor", bytes)
    }
    return { _ in false }
  }

  private func remove(_ files: [String], _ isOpen: Bool) -> (Int) -> Bool {
    for file in files { unlink(temporary.file(file)) }
    if isOpen { return { _ in false } }
    let gone = frames.filter { files.contains($0.file) }
    return { sequence in gone.contains { $0.sequences.contains(sequence) } }
  }

  /// Changes a file at a place that `body` returns; returns which entries the change may lose.
  private func change(_ file: Int, _ body: (inout [UInt8]) -> Range<Int>) -> (Int) -> Bool {
    guard !names.isEmpty else { return { _ in false } }
    let name = names[file % names.count]
    var bytes = temporary.bytes(name)
    let range = body(&bytes)
    temporary.overwrite(name, bytes)
    // Either copy of the header at the beginning of the file is enough.
    let losesHeader = range.lowerBound < 32 && range.upperBound > 32
    let hit = frames.filter { $0.file == name && (losesHeader || $0.range.overlaps(range)) }
    return { sequence in hit.contains { $0.sequences.contains(sequence) } }
  }
}
