import Glibc
import Platform
import SharedMemory
import VarnishLog

/// One of an instance's two indexes, with all that it lists.
///
/// The file is held open: as long as it is, no later index gets its number, so that one that looks the same is the same.
struct CounterIndex: ~Copyable {
  /// The directory that it lists, in that of the instance.
  let directoryName: String
  /// Who writes it; nil if there is none.
  private(set) var writer: LogIncarnation.Writer?
  private(set) var listing = IndexListing()
  private var file: ReadOnlyFile?
  private var state: FileState?

  private var name: String { directoryName + "/_.index" }

  init(directoryName: String) { self.directoryName = directoryName }

  /// Lets go of it, as of one that is gone.
  mutating func forget() {
    (writer, state) = (nil, nil)
    listing = IndexListing()
    file = nil
  }

  /// Looks at it anew.
  ///
  /// - Throws: `SystemError` if it is there and can't be read.
  mutating func refresh(in directory: borrowing ReadOnlyFile) throws(SystemError) {
    if isUnchanged(in: directory) { return }
    do {
      let opened = try ReadOnlyFile(regular: name, in: directory)
      // What is added from now on is another state.
      let now = try opened.state()
      let bytes = try opened.contents(limit: InstanceIndex.byteCountMax)
      writer = InstanceIndex(bytes).writer
      listing = IndexListing(bytes)
      state = now
      // The former one has kept its number until now.
      file = .some(opened)
    } catch {
      forget()
      if error.code != ENOENT { throw error }
    }
  }

  /// Whether it is what it was when it was read.
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

  /// What it said when it was read.
  var reading: Reading { Reading(writer: writer, file: state?.identity, listing: listing) }

  /// Whether what a line listed at an earlier reading is listed still, and was all the time.
  ///
  /// A file's name is never given again. A place in a cluster is, so there the line itself must be the same one, and
  /// can't be known to be that in an index that was written anew.
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
