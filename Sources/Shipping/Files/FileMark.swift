import Compression
import Glibc
import Platform

/// The mark that an output with several files gives each of them, in an extended attribute.
///
/// The order of files can't be had from the clock: names made of time repeat, local time has an hour twice, and
/// a clock may be set back, so that neither a name nor a time of last change tells which of two files came
/// first. So every file gets a number when it is begun, larger than that of any other file of its output. As
/// an attribute it goes where the file goes, through renaming, restarts and power cuts, can't be taken for
/// that of another file of the same name, and needs no separate file that could be lost or out of date. The
/// number is the time in nanoseconds, unless that would be too small: so it is larger, too, than the numbers
/// of former runs' files that were deleted.
struct FileMark: Equatable, Sendable {
  /// The state of a file.
  enum State: Character, Sendable {
    /// It is being written, or was when the program ended.
    case open = "o"
    /// It is finished, and its command has not ended.
    case waiting = "w"
    /// It is finished, and nothing is to be done for it.
    case done = "d"
  }

  static let name = "user.spillway"
  /// The largest number; a mark with a larger one is refused.
  static let numberMax: Int64 = 1 << 62

  /// What orders the files of an output.
  var number: Int64
  var state: State
  /// Which output has made the file.
  var output: FileOutputKey

  init(number: Int64, state: State, output: FileOutputKey) {
    self.number = number
    self.state = state
    self.output = output
  }

  /// Reads a mark; nil if the bytes are none, or are of a later version.
  init?(_ bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 4, words[0] == "1", let number = Int64(words[1]),
      (0...Self.numberMax).contains(number), words[2].count == 1,
      let state = words[2].first.flatMap({ State(rawValue: $0) }), let output = FileOutputKey(words[3])
    else { return nil }
    self.init(number: number, state: state, output: output)
  }

  /// The mark as text, short enough to be stored in the inode, so that it costs no block.
  var bytes: [UInt8] { Array("1 \(number) \(state.rawValue) \(output)".utf8) }
}

/// Distinguishes the outputs that have files in one directory.
///
/// Made from the name and the compression, but not from the directory, which may be moved.
struct FileOutputKey: Hashable, Sendable, CustomStringConvertible {
  private let number: UInt64

  init(name: String, compression: CompressionFormat?) {
    // FNV-1a: the same in every run, which Swift's own hash is not.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in Array("\(compression?.rawValue ?? "plain") \(name)".utf8) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    number = hash
  }

  init?(_ text: Substring) {
    guard text.utf8.count == 16, let number = UInt64(text, radix: 16) else { return nil }
    self.number = number
  }

  var description: String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The marks of files: on the files themselves, and in memory where the file system has no attributes.
struct FileMarks {
  /// What a file's mark says about its origin.
  enum Claim: Equatable {
    /// This output has made the file.
    case own(FileMark)
    /// Another output has made the file, or it can't be told which one has.
    case foreign
    /// The file has no mark.
    case none
  }

  let output: FileOutputKey
  let system: SystemCalls
  private var remembered: [FileIdentity: FileMark] = [:]
  private var last: Int64 = 0
  /// How many marks may be remembered; the oldest are forgotten.
  private static let rememberedMax = 10_000

  init(output: FileOutputKey, system: SystemCalls) {
    self.output = output
    self.system = system
  }

  /// A number larger than that of any file seen so far.
  mutating func nextNumber(at now: Moment) -> Int64 {
    let (time, isTooLate) = now.wallSeconds.multipliedReportingOverflow(by: 1_000_000_000)
    last = min(max(last + 1, isTooLate ? 0 : time), FileMark.numberMax)
    return last
  }

  /// The number for a file that is continued: its own, unless another file's is larger.
  mutating func number(keeping own: Int64?, at now: Moment) -> Int64 {
    if let own, own >= last { own } else { nextNumber(at: now) }
  }

  /// Reads a file's mark, given its path and status.
  mutating func claim(_ path: String, _ status: stat) -> Claim {
    let mark: FileMark
    if let remembered = remembered[FileIdentity(status)] {
      mark = remembered
    } else {
      do {
        guard let bytes = try system.attribute(FileMark.name, ofPath: path) else { return .none }
        guard let read = FileMark(bytes) else { return .foreign }
        mark = read
      } catch .notSupported, .unsupported {
        return .none
      } catch {
        // A file whose mark can't be read isn't known to be ours.
        return .foreign
      }
    }
    guard mark.output == output else { return .foreign }
    last = max(last, mark.number)
    return .own(mark)
  }

  /// Marks an open file.
  mutating func set(_ mark: FileMark, _ descriptor: Int32, _ identity: FileIdentity) {
    do {
      try system.setAttribute(FileMark.name, of: descriptor, to: mark.bytes)
      remembered[identity] = nil
    } catch {
      remember(mark, identity)
    }
  }

  /// Marks a file by its path, if the path still leads to this file.
  mutating func set(_ mark: FileMark, path: String, _ identity: FileIdentity) {
    guard let descriptor = try? system.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) else {
      return
    }
    defer { try? system.close(descriptor) }
    guard let status = try? system.status(descriptor), FileIdentity(status) == identity else { return }
    set(mark, descriptor, identity)
  }

  /// Forgets a deleted file, as another file may get its inode number.
  mutating func forget(_ identity: FileIdentity) { remembered[identity] = nil }

  private mutating func remember(_ mark: FileMark, _ identity: FileIdentity) {
    if remembered.count >= Self.rememberedMax,
      let oldest = remembered.min(by: { $0.value.number < $1.value.number })
    {
      remembered[oldest.key] = nil
    }
    remembered[identity] = mark
  }
}
