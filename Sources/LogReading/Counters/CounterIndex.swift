import Glibc
import Platform
import SharedMemory
import VarnishLog

/// One of an instance's two indexes, with all that it lists.
///
/// The file is held open: as long as it is, no later index gets its inode number, so that an index that looks
/// the same is the same.
struct CounterIndex: ~Copyable {
  /// The directory that it lists, inside the instance's directory.
  let directoryName: String
  /// The process that writes the index; nil if there is none.
  private(set) var writer: LogIncarnation.Writer?
  private(set) var listing = IndexListing()
  private var file: ReadOnlyFile?
  private var state: FileState?

  private var name: String { directoryName + "/_.index" }

  init(directoryName: String) { self.directoryName = directoryName }

  /// Closes the index, and takes it for one that is gone.
  mutating func forget() {
    (writer, state) = (nil, nil)
    listing = IndexListing()
    file = nil
  }

  /// Reads the index anew if it has changed.
  ///
  /// - Throws: `SystemError` if the index is there and can't be read.
  mutating func refresh(in directory: borrowing ReadOnlyFile) throws(SystemError) {
    if isUnchanged(in: directory) { return }
    do {
      let opened = try ReadOnlyFile(regular: name, in: directory)
      // Asked before the contents are read: lines that are added from now on show as another state.
      let now = try opened.state()
      let bytes = try opened.contents(limit: InstanceIndex.byteCountMax)
      writer = InstanceIndex(bytes).writer
      listing = IndexListing(bytes)
      state = now
      // The former file was open until now, so that its inode number wasn't used again.
      file = .some(opened)
    } catch {
      forget()
      if error.code != ENOENT { throw error }
    }
  }

  /// Whether the index is the file that was read, and hasn't changed since.
  func isUnchanged(in directory: borrowing ReadOnlyFile) -> Bool {
    do throws(SystemError) {
      return try directory.state(of: name) == state
    } catch {
      return false
    }
  }

  /// What an index said at one moment, to be compared with a later one.
  struct Reading {
    fileprivate let writer: LogIncarnation.Writer?
    fileprivate let file: FileIdentity?
    let listing: IndexListing
  }

  /// What the index said when it was read.
  var reading: Reading { Reading(writer: writer, file: state?.identity, listing: listing) }

  /// Whether the section that a line listed at an earlier reading is still listed, and was all the time.
  ///
  /// A file's name is never given again. A place in a cluster may be; so for a section there, the line itself
  /// must be the same, which can't be known if the index was written anew.
  func stillLists(_ line: Int, of earlier: Reading) -> Bool {
    guard writer == earlier.writer, !earlier.listing.lines[line].isRemoved else { return false }
    if earlier.file == state?.identity {
      return line < listing.lines.count && !listing.lines[line].isRemoved
    }
    let wanted = earlier.listing.lines[line]
    return wanted.offset == 0
      && listing.lines.contains {
        !$0.isRemoved && $0.fileName == wanted.fileName && $0.byteCount == wanted.byteCount && $0.offset == 0
          && $0.kind == wanted.kind && $0.name == wanted.name
      }
  }
}
