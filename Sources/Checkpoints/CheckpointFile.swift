import Glibc
public import Platform
import Spool

/// The file in which a run keeps up to date what is done of its log, so that another one can go on.
///
/// It is mapped: noting something costs no system call, and survives a kill at any instruction. One process at a time
/// may write it.
@safe public final class CheckpointFile: Sendable {
  /// How many outputs a checkpoint has room for.
  public static let outputsMax = CheckpointLayout.outputsMax
  /// How many bytes an output's name may have.
  public static let nameBytesMax = CheckpointLayout.nameBytesMax

  /// The file's name.
  public let path: String
  /// What was in it when it was opened; nil if it was new, or nothing of it could be read.
  public let earlier: Checkpoint?
  /// What was wrong with the file when it was opened.
  public let damage: [CheckpointDamage]

  /// How often a file that seems damaged is looked at, and how often in a row if it doesn't change.
  private static let looksMax = 50, sameLooks = 3

  private let memory: CheckpointMemory
  private let key: UInt64
  private let outputsInUse = Guarded([String?](repeating: nil, count: CheckpointLayout.outputsMax))

  /// Opens a checkpoint, or makes an empty one.
  ///
  /// Damaged parts are listed in `damage`, and are no error.
  /// - Throws: `CheckpointError` if the file can't be used, or another process uses it.
  public init(_ path: String) throws(CheckpointError) {
    let descriptor = try Self.open(path)
    let memory: CheckpointMemory
    do throws(SystemError) {
      memory = try CheckpointMemory(descriptor, path: path, isWritable: true)
    } catch {
      throw .system(error)
    }
    self.path = path
    self.memory = memory
    let found = CheckpointParts(memory)
    (earlier, damage) = (found.checkpoint, found.damage)
    key = found.key ?? UInt64.random(in: 1...UInt64.max)
    if found.key == nil { clear() }
    outputsInUse.withLock { names in
      for (index, name) in found.names { names[index] = name }
    }
    noteHead()
  }

  /// A number that no other checkpoint has, and this one keeps; never 0.
  public var identity: UInt64 { key }

  /// The boot ID of the machine under which this process runs; nil if the system doesn't tell.
  public static var presentBoot: String? {
    SmallFile.text("/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) }
  }

  /// Reads a checkpoint that another process may be writing.
  ///
  /// - Throws: `CheckpointError` if there is no such file, or it isn't one.
  public static func read(_ path: String) throws(CheckpointError) -> (Checkpoint, damage: [CheckpointDamage])
  {
    try read(path) { usleep(1000) }
  }

  /// Reads a checkpoint that another process may be writing.
  ///
  /// - Parameter pause: waits so that a writer can complete a copy, before the file is looked at again.
  static func read(
    _ path: String, pause: () -> Void
  ) throws(CheckpointError) -> (Checkpoint, damage: [CheckpointDamage]) {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .system(SystemError(operation: "open", path: path)) }
    guard isCheckpoint(descriptor) else {
      close(descriptor)
      throw .noCheckpoint(path)
    }
    let memory: CheckpointMemory
    do throws(SystemError) {
      memory = try CheckpointMemory(descriptor, path: path, isWritable: false)
    } catch {
      throw .system(error)
    }
    let found = look(memory, pause)
    guard let checkpoint = found.checkpoint else { throw .noCheckpoint(path) }
    return (checkpoint, found.damage)
  }

  /// Reads the parts, again and again if some seem damaged: a copy seems so as long as it is being written.
  private static func look(_ memory: CheckpointMemory, _ pause: () -> Void) -> CheckpointParts {
    var best = CheckpointParts(memory)
    var (last, sameCount) = (best, 1)
    for _ in 1..<looksMax where !best.isWhole && sameCount < sameLooks {
      pause()
      let next = CheckpointParts(memory)
      sameCount = next.checkpoint == last.checkpoint && next.damage == last.damage ? sameCount + 1 : 1
      if best.checkpoint == nil || (next.checkpoint != nil && next.damage.count < best.damage.count) {
        best = next
      }
      last = next
    }
    return best
  }

  /// Makes the part for how the log is read.
  public func makeReadingPart() -> ReadingPart {
    ReadingPart(
      memory.record(
        at: CheckpointLayout.readingOffset, copyByteCount: CheckpointLayout.readingCopyBytes, key: key))
  }

  /// Makes the part for an output, under its name.
  ///
  /// - Throws: `CheckpointError.full` if there are too many, or the name is too long.
  public func makeOutputPart(_ name: String) throws(CheckpointError) -> OutputPart {
    guard name.utf8.count <= CheckpointLayout.nameBytesMax else { throw .nameTooLong(path, name) }
    let index = outputsInUse.withLock { names -> Int? in
      let found = names.firstIndex(of: name) ?? names.firstIndex(of: nil)
      if let found { names[found] = name }
      return found
    }
    guard let index else { throw .full(path) }
    let offset = CheckpointLayout.outputsOffset + index * CheckpointLayout.outputBytes
    let copy = CheckpointLayout.outputCopyBytes
    return OutputPart(
      name, memory, live: memory.record(at: offset, copyByteCount: copy, key: key),
      synced: memory.record(at: offset + 2 * copy, copyByteCount: copy, key: key), offset: offset)
  }

  /// Forgets outputs of other names: those of an earlier run that this one doesn't have.
  ///
  /// - Returns: their names.
  public func forget(allBut names: Set<String>) -> [String] {
    outputsInUse.withLock { inUse in
      var forgotten: [String] = []
      for index in inUse.indices {
        guard let name = inUse[index], !names.contains(name) else { continue }
        inUse[index] = nil
        clearOutput(index)
        forgotten.append(name)
      }
      return forgotten
    }
  }

  private func noteHead() {
    var words = WordWriter()
    for word in CheckpointLayout.magic { words.put(word) }
    words.put(key)
    words.put(Self.presentBoot ?? "")
    let head = memory.record(
      at: 0, copyByteCount: CheckpointLayout.headCopyBytes, key: CheckpointLayout.headKey)
    _ = head.load()
    // Both copies: the older one would have the boot ID of an earlier start of the machine.
    for _ in 0..<2 { head.store(words.words) }
    memory.sync(offset: 0, byteCount: CheckpointLayout.headCopyBytes * 2)
  }

  private func clear() {
    memory.record(
      at: CheckpointLayout.readingOffset, copyByteCount: CheckpointLayout.readingCopyBytes, key: key
    ).clear()
    for index in 0..<CheckpointLayout.outputsMax { clearOutput(index) }
  }

  private func clearOutput(_ index: Int) {
    let offset = CheckpointLayout.outputsOffset + index * CheckpointLayout.outputBytes
    for part in 0..<2 {
      memory.record(
        at: offset + part * 2 * CheckpointLayout.outputCopyBytes,
        copyByteCount: CheckpointLayout.outputCopyBytes, key: key
      ).clear()
    }
  }
}

// MARK: - The file itself

extension CheckpointFile {
  /// Opens the file for this process alone, with all its blocks allocated: writing to mapped memory fails if
  /// the disk has no room for it.
  private static func open(_ path: String) throws(CheckpointError) -> Int32 {
    let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system(SystemError(operation: "open", path: path)) }
    do throws(CheckpointError) {
      try claim(descriptor, path)
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// How long to wait for another process that holds the file and may be about to end.
  private static let patienceNanoseconds: Int64 = 1_000_000_000

  private static func claim(_ descriptor: Int32, _ path: String) throws(CheckpointError) {
    guard isEmpty(descriptor) || isCheckpoint(descriptor) else { throw .noCheckpoint(path) }
    do throws(Errno) {
      try SystemCalls.real.lock(descriptor, within: patienceNanoseconds)
    } catch {
      if error == .wouldBlock { throw .inUse(path) }
      throw .system(SystemError(operation: "lock", path: path, errno: error))
    }
    let code = posix_fallocate(descriptor, 0, off_t(CheckpointLayout.byteCount))
    guard code == 0 else {
      throw .system(SystemError(operation: "allocate", path: path, code: code))
    }
  }

  private static func isEmpty(_ descriptor: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size == 0
  }

  /// Whether a file is a regular one with the length of a checkpoint; the rest is checked when it is read.
  private static func isCheckpoint(_ descriptor: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_size == off_t(CheckpointLayout.byteCount)
  }
}

/// Why a file can't be used as a checkpoint.
public enum CheckpointError: Error, Equatable, Sendable {
  /// A system call has failed.
  case system(SystemError)
  /// The file of this name is no checkpoint.
  case noCheckpoint(String)
  /// Another process uses it.
  case inUse(String)
  /// It has no room for another output.
  case full(String)
  /// An output's name is longer than there is room for.
  case nameTooLong(String, String)
}

extension CheckpointError: CustomStringConvertible {
  /// One line for the user.
  public var description: String {
    switch self {
    case .system(let error): error.description
    case .noCheckpoint(let path): "\(path): is no checkpoint of this program, and is left as it is"
    case .inUse(let path): "\(path): is used by another run"
    case .full(let path): "\(path): has room for \(CheckpointLayout.outputsMax) outputs, and there are more"
    case .nameTooLong(let path, let name):
      "\(path): the output's name has more than \(CheckpointLayout.nameBytesMax) bytes: \(name)"
    }
  }
}
