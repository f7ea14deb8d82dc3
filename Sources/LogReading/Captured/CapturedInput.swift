public import Platform
import SharedMemory
import VarnishLog

/// The log that a path leads to; its kind is recognised by its bytes, not by its name.
///
/// ```
/// a binary log        plain, gzip or zstd; a file, a pipe or standard input
/// a ring              a copied _.Log.…: VSLHEAD0 to VSLHEAD2
/// a directory         with the files of a server, or of one of several below it
/// a tar archive       of such a directory, plain, gzip or zstd
/// ```
///
/// The path of a file or directory inside an archive can follow the archive's name, as if the archive were a
/// directory: `copy.tar/web1`.
public struct CapturedInput: ~Copyable {
  /// The log's name in messages.
  public let path: String
  var input: LogInput
  /// The log's part of the input, as the index says; nil if the log is all of the input.
  let part: Range<Int>?
  /// The index that lists the log.
  let index: InstanceIndex?
  /// The manager's index beside it.
  let manager: InstanceIndex?
  /// The sections that both indexes list, how many of their lines list nothing, and the releases that write
  /// such indexes.
  let sections: [SharedSection], unreadLines: Int, releases: String?

  private init(_ input: consuming LogInput, _ log: CapturedTree.Log? = nil) throws(LogError) {
    path = input.path
    part = log?.part
    index = log?.index
    manager = log?.manager
    (sections, unreadLines, releases) = (log?.sections ?? [], log?.unreadLines ?? 0, log?.releases)
    if let log, log.file.isSparse {
      throw .unclear(
        path: path, problem: "was stored without its empty parts (tar --sparse); unpack the archive first")
    }
    self.input = input
  }

  /// Whether the log is the given file, or a part of it.
  public func isFile(_ identity: FileIdentity) -> Bool {
    input.incarnation.device == identity.device && input.incarnation.inode == identity.inode
  }

  /// Finds the log.
  ///
  /// - Parameter path: of a file, directory or archive, or in an archive; "-" is standard input.
  /// - Throws: `LogError` if it can't be opened or read, or if there is no log, or more than one.
  public static func find(_ path: String) throws(LogError) -> CapturedInput {
    let (outer, inside) = split(path)
    if outer != "-", case .success(let state) = FileState.of(path: outer), state.isDirectory {
      return try find(in: outer)
    }
    var input = try LogInput(open(outer))
    // If the marker is there, no more bytes are waited for: a pipe may have none yet.
    var isTar = false
    if LogLayout(fileMagic: try input.peek(LogFile.magicByteCount)) == nil {
      isTar = TarHeader.hasChecksum(try input.peek(TarHeader.byteCount))
    }
    guard isTar else {
      guard inside.isEmpty else {
        throw .unclear(
          path: outer, problem: "is no directory and no tar archive, so there is no \(inside) in it")
      }
      return try CapturedInput(input)
    }
    return try find(in: input, outer, inside)
  }

  private static func find(in path: String) throws(LogError) -> CapturedInput {
    let directory: ReadOnlyFile
    do {
      directory = try ReadOnlyFile(directory: path)
    } catch {
      throw .cannotOpen(error)
    }
    let log = try CapturedTree(directory: directory).log(path, inside: "")
    let file: ReadOnlyFile
    do {
      file = try ReadOnlyFile(regular: log.file.path, in: directory)
    } catch {
      throw .cannotOpen(error)
    }
    return try CapturedInput(LogInput(file), log)
  }

  private static func find(
    in archive: consuming LogInput, _ path: String, _ inside: String
  ) throws(LogError) -> CapturedInput {
    let isMappable = archive.isRegular && !archive.isDecoded
    let incarnation = archive.incarnation
    var kept: KeptFile?
    if !isMappable { kept = try KeptFile(for: path) }
    var reader = TarReader(archive)
    let tree = try CapturedTree(&reader, inside: inside, kept: &kept)
    let log = try tree.log(path, inside: inside)
    let file: ReadOnlyFile
    switch kept {
    case .some(let kept): file = try kept.opened()
    case nil: file = try open(path)
    }
    let region = log.file.offset..<(log.file.offset + log.file.byteCount)
    return try CapturedInput(
      LogInput(file, path: "\(path)/\(log.file.path)", region: region, incarnation: incarnation), log)
  }

  private static func open(_ path: String) throws(LogError) -> ReadOnlyFile {
    if path == "-" { return ReadOnlyFile(borrowing: 0, named: "-") }
    do {
      return try LogFile.open(path)
    } catch {
      throw .cannotOpen(error)
    }
  }

  /// Splits a path into that of an existing file and the path inside this file; the latter is empty if there
  /// is no such file.
  static func split(_ path: String) -> (outer: String, inside: String) {
    if case .success = FileState.of(path: path) { return (path, "") }
    var outer = path[...]
    while let slash = outer.lastIndex(of: "/"), slash > outer.startIndex {
      outer = outer[..<slash]
      guard case .success(let state) = FileState.of(path: String(outer)) else { continue }
      if state.isDirectory { break }
      let inside = path[outer.endIndex...].split(separator: "/").filter { $0 != "." }.joined(separator: "/")
      return (String(outer), inside)
    }
    return (path, "")
  }
}
