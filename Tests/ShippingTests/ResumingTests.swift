import Checkpoints
import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Resuming a file whose length and pending write an earlier run had noted, whatever has happened to the file
/// since.
@Suite struct ResumingTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  private static let formats: [CompressionFormat?] = [nil, .gzip, .zstd]
  private static let done = EntryMark(place: 20, ordinal: 1)
  private static let written = EntryMark(place: 50, ordinal: 0)
  private static let before = "one\ntwo\n", added = "three\nfour\nfive\n"

  private var path: String { directory.file("access.log") }

  /// Text in the form in which a file contains it: plain, or as a member.
  private func encoded(_ text: String, format: CompressionFormat?) throws -> [UInt8] {
    guard let format else { return Array(text.utf8) }
    return try Member(CompressionMethod(format, level: 1), usualByteCount: 100).compress(Array(text.utf8))
  }

  /// The state noted by an earlier run, which had written two lines to an existing file and was about to add
  /// three.
  private func noted(
    _ name: String = "access.log", format: CompressionFormat?, number: Int64 = 0, hasPending: Bool = true
  ) throws -> OutputStanding {
    let byteCount = try encoded(Self.before, format: format).count
    let place = OutputPlace(file: FileIdentity(status(name)), number: number, byteCount: byteCount)
    var standing = OutputStanding(done: Self.done, sequence: 2, place: place)
    guard hasPending else { return standing }
    let addedCount = try encoded(Self.added, format: format).count
    standing.pending = OutputStanding.Pending(
      done: Self.written, sequence: 5, byteCount: byteCount + addedCount)
    return standing
  }

  /// Resumes the output, adds a line, and ends.
  ///
  /// - Returns: the output's state after opening.
  private func goOn(
    _ standing: OutputStanding, canRepeat: Bool = true, mayHaveGoneOn: Bool = false,
    format: CompressionFormat?,
    at now: Moment = .test, _ configure: (inout FileOptions) -> Void = { _ in }
  ) throws -> OutputStanding {
    var options = FileOptions(path: path)
    options.compression = format.map { CompressionMethod($0, level: 1) }
    configure(&options)
    let resumption = FileResumption(standing, canRepeat: canRepeat, mayHaveGoneOn: mayHaveGoneOn)
    let sink = try FileSink(options, resuming: resumption, at: now, system: .real) { [warnings] in
      warnings.append($0)
    }
    let resumed = try #require(sink.resumed)
    #expect(resumed.pending == nil)
    #expect(resumed.place == sink.place)
    try sink.take(["next"], at: now)
    _ = try sink.close(at: now)
    sink.abandon()
    return resumed
  }

  /// The text of a file.
  private func contents(_ name: String = "access.log", format: CompressionFormat?) -> String {
    format.map { directory.unzipped(name, $0.rawValue).text } ?? directory.text(name)
  }

  /// Makes the file from pieces, the last of which may be cut.
  private func leave(_ pieces: [String], butBytes cut: Int = 0, format: CompressionFormat?) throws {
    let bytes = try pieces.flatMap { try encoded($0, format: format) }
    directory.write("access.log", Array(bytes.dropLast(cut)))
  }

  @Test(arguments: formats, [false, true])
  func `a file that is as it was noted is added to, never emptied`(
    format: CompressionFormat?, hasPending: Bool
  ) throws {
    try leave([Self.before], format: format)
    let standing = try noted(format: format, hasPending: hasPending)
    let resumed = try goOn(standing, format: format)
    #expect(resumed.done == Self.done && resumed.sequence == 2)
    #expect(resumed.place == standing.place)
    #expect(contents(format: format) == Self.before + "next\n")
    #expect(warnings.all == [])
  }

  @Test(arguments: formats, [false, true])
  func `a write that has happened as a whole isn't made again`(format: CompressionFormat?, canRepeat: Bool)
    throws
  {
    try leave([Self.before, Self.added], format: format)
    let resumed = try goOn(try noted(format: format), canRepeat: canRepeat, format: format)
    #expect(resumed.done == Self.written && resumed.sequence == 5)
    #expect(contents(format: format) == Self.before + Self.added + "next\n")
    #expect(warnings.all == [])
  }

  /// Also a write that ends between two lines: nothing else would tell which entries are in the file.
  @Test(arguments: formats, [1, 5, 9, 14])
  func `a write that has happened in part is cut off, and the file stays as old as it was`(
    format: CompressionFormat?, cut: Int
  ) throws {
    try leave([Self.before, Self.added], butBytes: cut, format: format)
    var times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 5)]
    try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
    let standing = try noted(format: format)
    let resumed = try goOn(standing, format: format) { $0.rotateEverySeconds = 3600 }
    #expect(resumed.done == Self.done && resumed.sequence == 2)
    // The file was put away first, because its last line is old.
    #expect(contents("access.log.\(stamp())\(format?.suffix ?? "")", format: format) == Self.before)
    #expect(contents(format: format) == "next\n")
    let excess = try encoded(Self.added, format: format).count - cut
    let left = try #require(standing.place).byteCount
    #expect(
      warnings.all == [
        "\(path): cut \(excess) bytes of an unfinished write, \(left) bytes are left; what was in them is written "
          + "again"
      ])
  }

  @Test func `what can't be made again stays, but for the torn line`() throws {
    try leave([Self.before, Self.added], butBytes: 3, format: nil)
    let resumed = try goOn(try noted(format: nil), canRepeat: false, format: nil)
    #expect(resumed.done == Self.written, "what the log still has of it isn't written twice")
    #expect(contents(format: nil) == Self.before + "three\nfour\nnext\n")
    #expect(
      warnings.all == [
        "\(path): the last write was torn, and the log no longer has what it was made of; up to 3 bytes of it are lost",
        "\(path): cut 2 bytes of a torn line, 19 bytes are left",
      ])
  }

  @Test func `what can't be made again stays, but for the torn member`() throws {
    try leave([Self.before, Self.added], butBytes: 3, format: .gzip)
    let resumed = try goOn(try noted(format: .gzip), canRepeat: false, format: .gzip)
    #expect(resumed.done == Self.done)
    #expect(contents(format: .gzip) == Self.before + "next\n")
    #expect(warnings.all.count == 1 && warnings.all[0].contains("of a torn gzip member"))
  }

  @Test(arguments: formats, [false, true])
  func `what another process has added stays`(format: CompressionFormat?, hasPending: Bool) throws {
    let pieces = hasPending ? [Self.before, Self.added, "theirs\n"] : [Self.before, "theirs\n"]
    try leave(pieces, format: format)
    let resumed = try goOn(try noted(format: format, hasPending: hasPending), format: format)
    #expect(resumed.done == (hasPending ? Self.written : Self.done))
    #expect(contents(format: format) == pieces.joined() + "next\n")
    let count = try encoded("theirs\n", format: format).count
    #expect(
      warnings.all == [
        "\(path): has \(count) bytes that another process has written since the last run; they stay"
      ])
  }

  @Test func `half a line of another process is cut off behind whole ones`() throws {
    try leave([Self.before, Self.added, "theirs\nhalf"], format: nil)
    _ = try goOn(try noted(format: nil), format: nil)
    #expect(contents(format: nil) == Self.before + Self.added + "theirs\nnext\n")
    #expect(warnings.all.last == "\(path): cut 4 bytes of a torn line, 31 bytes are left")
  }

  @Test func `nothing is cut where no line ends`() throws {
    let standing = try {
      try leave([Self.before, Self.added], butBytes: 4, format: nil)
      return try noted(format: nil)
    }()
    // Another process has written something else into the same file.
    directory.overwrite("access.log", Array("something else\nhal".utf8))
    #expect(FileIdentity(status("access.log")) == standing.place?.file)
    _ = try goOn(standing, format: nil)
    #expect(contents(format: nil) == "something else\nnext\n")
    #expect(warnings.all.first == "\(path): isn't as the last run has left it; nothing is cut off")
  }

  @Test(arguments: formats)
  func `what is behind an older standing is written again`(format: CompressionFormat?) throws {
    try leave([Self.before, Self.added, "later\n"], format: format)
    let resumed = try goOn(try noted(format: format, hasPending: false), mayHaveGoneOn: true, format: format)
    #expect(resumed.done == Self.done)
    #expect(contents(format: format) == Self.before + "next\n")
    #expect(warnings.all.count == 1 && warnings.all[0].contains("is written again"))
  }

  @Test func `what is behind an older standing stays if it can't be written again`() throws {
    try leave([Self.before, Self.added, "later\n"], format: nil)
    _ = try goOn(
      try noted(format: nil, hasPending: false), canRepeat: false, mayHaveGoneOn: true, format: nil)
    #expect(contents(format: nil) == Self.before + Self.added + "later\nnext\n")
    #expect(warnings.all == [])
  }

  // MARK: Other files

  private func shortened(to byteCount: Int, _ path: String) -> String {
    "\(path): was cut to \(byteCount) bytes by another process since the last run; what was in it isn't written again"
  }

  @Test(arguments: formats)
  func `a file that was emptied is gone on with`(format: CompressionFormat?) throws {
    try leave([Self.before], format: format)
    let standing = try noted(format: format)
    truncate(path, 0)
    let resumed = try goOn(standing, format: format)
    #expect(resumed.done == Self.done)
    #expect(contents(format: format) == "next\n")
    #expect(warnings.all == [shortened(to: 0, path)])
  }

  @Test func `what was written just behind the emptying isn't written again`() throws {
    try leave([Self.added], format: nil)
    var standing = try noted(format: nil)
    standing.place?.byteCount = 1000
    standing.pending?.byteCount = 1000 + Self.added.utf8.count
    let resumed = try goOn(standing, format: nil)
    #expect(resumed.done == Self.written)
    #expect(contents(format: nil) == Self.added + "next\n")
    #expect(warnings.all == [shortened(to: Self.added.utf8.count, path)])
  }

  private var goneWarning: String {
    "\(path): the file of the last run was removed, or moved to another directory; what was in it isn't written again"
  }

  @Test(arguments: formats)
  func `a file that was removed is begun anew`(format: CompressionFormat?) throws {
    try leave([Self.before], format: format)
    let standing = try noted(format: format)
    // Kept open, so that the new file doesn't get the same inode.
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    unlink(path)
    let resumed = try goOn(standing, format: format)
    #expect(resumed.done == Self.done)
    #expect(resumed.place?.file == FileIdentity(status("access.log")))
    #expect(contents(format: format) == "next\n")
    #expect(warnings.all == [goneWarning])
  }

  @Test func `a file that was replaced is added to`() throws {
    try leave([Self.before], format: nil)
    let standing = try noted(format: nil)
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    directory.write("access.log", "theirs\n")
    let resumed = try goOn(standing, format: nil)
    #expect(resumed.done == Self.done)
    #expect(contents(format: nil) == "theirs\nnext\n")
    #expect(warnings.all == [goneWarning])
  }

  @Test(arguments: formats, [false, true])
  func `a file that was renamed is mended under its new name`(format: CompressionFormat?, isReplaced: Bool)
    throws
  {
    try leave([Self.before, Self.added], butBytes: 4, format: format)
    let standing = try noted(format: format)
    rename(path, directory.file("access.log.1"))
    if isReplaced { directory.write("access.log", try encoded("theirs\n", format: format)) }
    let resumed = try goOn(standing, format: format)
    #expect(resumed.done == Self.done)
    #expect(contents("access.log.1", format: format) == Self.before)
    #expect(contents(format: format) == (isReplaced ? "theirs\nnext\n" : "next\n"))
    let next = isReplaced ? "the file that has its name now" : "a new file"
    #expect(
      warnings.all.first == "\(path): was renamed to access.log.1 since the last run; goes on in \(next)")
    #expect(warnings.all.count == 2 && warnings.all[1].hasPrefix(directory.file("access.log.1: cut ")))
  }

  @Test(arguments: formats)
  func `a file that was renamed with all that was begun is complete`(format: CompressionFormat?) throws {
    try leave([Self.before, Self.added], format: format)
    let standing = try noted(format: format)
    rename(path, directory.file("access.log.1"))
    #expect(try goOn(standing, format: format).done == Self.written)
    #expect(contents("access.log.1", format: format) == Self.before + Self.added)
    #expect(warnings.all.count == 1)
  }

  /// The state left by a kill between renaming the file and beginning the next.
  @Test(arguments: formats)
  func `a file that the earlier run has put away itself is nothing to be told of`(format: CompressionFormat?)
    throws
  {
    try leave([Self.before, Self.added], format: format)
    let standing = try noted(format: format)
    let finished = "access.log.\(stamp())\(format?.suffix ?? "")"
    rename(path, directory.file(finished))
    let resumed = try goOn(standing, format: format, at: Moment.test.later(seconds: 60)) {
      $0.rotateBytes = 1000
    }
    #expect(resumed.done == Self.written)
    #expect(contents(finished, format: format) == Self.before + Self.added)
    #expect(contents(format: format) == "next\n")
    #expect(warnings.all == [])
  }

  @Test(arguments: formats)
  func `a file of a former period is mended, and the next one begun`(format: CompressionFormat?) throws {
    func configure(_ options: inout FileOptions) {
      options.path = directory.file("access-%s.log")
      options.rotateEverySeconds = 3600
    }
    let sink = try sink { options in
      options.compression = format.map { CompressionMethod($0, level: 1) }
      configure(&options)
    }
    try sink.take(["one", "two"])
    try sink.flush(at: .test)
    let place = try #require(sink.place)
    try sink.take(["three"])
    try sink.flush(at: .test)
    let pending = OutputStanding.Pending(
      done: Self.written, sequence: 3, byteCount: try #require(sink.place).byteCount)
    sink.abandon()
    let name = "access-\(Moment.test.wallSeconds).log"
    truncate(directory.file(name), pending.byteCount - 2)
    let standing = OutputStanding(done: Self.done, sequence: 2, place: place, pending: pending)
    let next = Moment.test.later(seconds: 7200)
    let resumed = try goOn(standing, format: format, at: next, configure)
    #expect(resumed.done == Self.done)
    #expect(contents(name + (format?.suffix ?? ""), format: format) == "one\ntwo\n")
    #expect(contents("access-\(next.wallSeconds).log", format: format) == "next\n")
    #expect(warnings.all.count == 1 && warnings.all[0].contains(" of an unfinished write, "))
  }

  @Test func `a later file in the same place of the file system is told by its number`() throws {
    let sink = try sink { $0.rotateBytes = 1000 }
    try sink.take(["one", "two"])
    var standing = OutputStanding(done: Self.done, sequence: 2, place: sink.place)
    sink.abandon()
    standing.place?.number -= 1
    standing.place?.byteCount = 4
    standing.pending = OutputStanding.Pending(done: Self.written, sequence: 3, byteCount: 100)
    _ = try goOn(standing, format: nil) { $0.rotateBytes = 1000 }
    #expect(contents(format: nil) == "one\ntwo\nnext\n")
    #expect(warnings.all == [goneWarning])
  }

  @Test func `taken up again, a file keeps its number`() throws {
    let sink = try sink { $0.rotateBytes = 1000 }
    try sink.take(["one"])
    let standing = OutputStanding(done: Self.done, sequence: 1, place: sink.place)
    sink.abandon()
    let later = Moment.test.later(seconds: 60)
    let first = try goOn(standing, format: nil, at: later) { $0.rotateBytes = 1000 }
    #expect(first.place == standing.place)
    #expect(warnings.all == [])
  }

  @Test(
    arguments: [(nil, .gzip), (.gzip, nil), (.gzip, .zstd), (.zstd, .gzip), (.zstd, nil)]
      as [(CompressionFormat?, CompressionFormat?)])
  func `a file of another kind than is wanted by now is put aside`(
    former: CompressionFormat?, format: CompressionFormat?
  ) throws {
    try leave([Self.before], format: former)
    let standing = try noted(format: former, hasPending: false)
    let resumed = try goOn(standing, format: format)
    #expect(resumed.done == Self.done)
    #expect(contents(format: format) == "next\n")
    #expect(warnings.all.count == 1 && warnings.all[0].contains(": put aside as "))
  }

  /// Returns to the place at which the file contained only an empty member, which has since been joined with
  /// the first member.
  @Test(arguments: [CompressionFormat.gzip, .zstd])
  func `a file is begun anew where nothing had been noted to be in it`(format: CompressionFormat) throws {
    var options = FileOptions(path: path)
    options.compression = CompressionMethod(format, level: 1)
    let sink = try FileSink(options, at: .test, system: .real) { [warnings] in warnings.append($0) }
    let place = try #require(sink.place)
    try sink.take(["one", "two"])
    _ = try sink.close(at: .test)
    #expect(contents(format: format) == Self.before)
    let standing = OutputStanding(done: Self.done, sequence: 0, place: place)
    let resumed = try goOn(standing, mayHaveGoneOn: true, format: format)
    #expect(resumed.done == Self.done)
    #expect(
      contents(format: format) == "next\n", "what is behind it is written again, and so isn't there twice")
    #expect(directory.isWhole("access.log", format))
  }

  /// The state that a power cut may leave: the beginning was changed, and the rest is missing.
  @Test(arguments: [CompressionFormat.gzip, .zstd])
  func `a torn beginning of the length that was noted is begun anew`(format: CompressionFormat) throws {
    let part = try encoded(Self.before, format: format)
    let beginning = try #require(format.joinedBeginning(part))
    directory.write("access.log", Array(beginning.prefix(format.emptyPart.count)))
    let place = OutputPlace(
      file: FileIdentity(status("access.log")), number: 0, byteCount: format.emptyPart.count)
    _ = try goOn(OutputStanding(done: Self.done, sequence: 0, place: place), format: format)
    #expect(contents(format: format) == "next\n")
    #expect(directory.isWhole("access.log", format))
  }

  @Test func `without a file that was noted, what is there is added to`() throws {
    try leave([Self.before, "torn"], format: nil)
    let resumed = try goOn(OutputStanding(done: Self.done, sequence: 7), format: nil)
    #expect(resumed.done == Self.done && resumed.sequence == 7)
    #expect(contents(format: nil) == Self.before + "next\n")
  }

  @Test func `a file that can't be cut isn't written to`() throws {
    try leave([Self.before, Self.added], butBytes: 3, format: nil)
    let standing = try noted(format: nil)
    let faults = FaultPlan { call, _ in call == .ftruncate ? .fail(EIO) : nil }
    let error = #expect(throws: SystemError.self) {
      try FileSink(
        FileOptions(path: path), resuming: FileResumption(standing, canRepeat: true), at: .test,
        system: faults.system
      ) { _ in }
    }
    #expect(error?.description == "\(path): cut: Input/output error")
    #expect(contents(format: nil) == Self.before + String(Self.added.dropLast(3)))
  }
}
