import Glibc
import Platform
import SharedMemory
import VarnishLog

/// The files of an index's sections, one of which is mapped at a time: those of a cluster stand one behind the other in
/// an index, and are all in one file.
struct MappedCounterFiles: ~Copyable {
  private let directoryName: String
  private var name: String?
  private var mapping: ReadOnlyMapping?

  init(directoryName: String) { self.directoryName = directoryName }

  /// Maps the file of a line, if it isn't mapped already.
  ///
  /// - Throws: `SystemError` if the file is there and can't be read. A missing file was removed since it was
  ///   listed.
  mutating func open(_ line: IndexListing.Line, in directory: borrowing ReadOnlyFile) throws(SystemError) {
    if name == line.fileName { return }
    mapping = nil
    name = line.fileName
    // No server gives a name that leads out of the directory.
    guard !line.fileName.contains("/"), line.fileName != ".", line.fileName != ".." else { return }
    do {
      let file = try ReadOnlyFile(regular: "\(directoryName)/\(line.fileName)", in: directory)
      let state = try file.state()
      if state.byteCount > 0 { mapping = try ReadOnlyMapping(file, byteCount: state.byteCount) }
    } catch {
      // EINVAL: the file was cut since its size was read, and there is nothing left to map.
      if error.code != ENOENT, error.code != EINVAL { throw error }
    }
  }

  /// Hands the mapped section of a line on; nil if the file doesn't have it.
  func with<Value>(
    _ line: IndexListing.Line, _ body: (borrowing ReadOnlyMapping, Range<Int>) -> Value
  ) -> Value? {
    switch mapping {
    case .some(let mapping):
      guard let range = mapping.section(offset: line.offset, byteCount: line.byteCount) else { return nil }
      return body(mapping, range)
    case nil: return nil
    }
  }
}
