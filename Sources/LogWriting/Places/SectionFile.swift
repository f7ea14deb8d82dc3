import CShims
import Glibc
import Platform
import VarnishLog

/// A log in one file, whose sections are a list in it (`shm-layout.md` 3, `design-notes.md`).
///
/// Readers have no lock. While the list is being changed its number is 0, afterwards another one than
/// before; a reader throws away what it walked when the number was 0 or has changed. A section that is freed
/// becomes one of class `Cool` and stays as it was for ten seconds, in which a reader that still uses it sees
/// the class or the number.
///
/// The first section's length is no multiple of 8, so that the contents of all others begin at a multiple of
/// 8: counters can be added to in one step.
final class SectionFile: SectionStore, @unchecked Sendable {
  private struct Section {
    let offset: Int
    var byteCount: Int
    var use: Use
    enum Use { case taken, free, cooling(since: Int64) }
  }

  private struct State {
    var sections: [Section] = []
    var listNumber: UInt32 = 0
    var isClosed = false
  }

  /// Keeps the directory for this log as long as the store exists.
  private let place: LogPlace
  private let segment: SharedFile
  private let path: String
  private let cooldownSeconds: Int64
  private let state = Guarded(State())
  /// The file descriptor with the file's own lock, for servers that check no other.
  private let lock: Guarded<Int32?>

  private typealias Layout = SectionFileLayout
  private var base: UnsafeMutableRawPointer { unsafe segment.base }

  /// Makes the file beside its name, and puts it there when it is whole.
  ///
  /// - Parameter prepare: makes the first sections, before any reader can find the file.
  init(
    in place: LogPlace, _ options: LogWriterOptions,
    prepare: (SectionFile) throws(LogWriterError) -> Void
  ) throws(LogWriterError) {
    let byteCount = (options.logByteCount + options.sectionByteCount + Self.overhead + 7) & ~7
    self.place = place
    let directory = place.directory
    let temporary = "\(LogPlace.fileName).\(getpid())"
    path = directory.path + "/" + LogPlace.fileName
    // A file that a process of the same number left when it died.
    _ = directory.remove(temporary)
    segment = try LogWriterError.wrapping { () throws(SystemError) in
      try SharedFile(
        creating: temporary, in: directory, byteCount: byteCount, permissions: options.permissions)
    }
    cooldownSeconds = options.cooldownSeconds
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC
    let file = Int32(retryingOnInterrupt { unsafe Int(openat(directory.descriptor, temporary, flags)) })
    _ = shim_try_lock_log(file)
    lock = Guarded(file)
    writeHead(byteCount: byteCount, birth: place.birth)
    do {
      try prepare(self)
      unsafe shim_store_release_u32(base, Layout.magic)
      try LogWriterError.wrapping { () throws(SystemError) in
        try directory.rename(temporary, to: LogPlace.fileName)
      }
    } catch {
      _ = directory.remove(temporary)
      throw error
    }
  }

  deinit { unlock() }

  private func unlock() {
    lock.withLock { lock in
      if let file = lock {
        shim_unlock_log(file)
        Glibc.close(file)
      }
      lock = nil
    }
  }

  /// How many bytes the head and the first sections take, besides those that were asked for.
  private static let overhead = Layout.firstSectionOffset + 16384

  private func writeHead(byteCount: Int, birth: Int64) {
    unsafe base.storeBytes(of: Layout.headByteCount, toByteOffset: 4, as: UInt32.self)
    unsafe base.storeBytes(of: birth, toByteOffset: Layout.startOffset, as: Int64.self)
    unsafe base.storeBytes(of: getpid(), toByteOffset: Layout.masterOffset, as: Int32.self)
    unsafe base.storeBytes(of: getpid(), toByteOffset: Layout.childOffset, as: Int32.self)
    unsafe base.storeBytes(of: UInt32(byteCount), toByteOffset: Layout.sizeOffset, as: UInt32.self)
    state.withLock { state in
      let all = Section(
        offset: Layout.firstSectionOffset, byteCount: byteCount - Layout.firstSectionOffset, use: .free)
      writeHeader(all, SectionLabel(Layout.freeKind, name: ""), state: 0)
      state.sections = [all]
      state.listNumber = UInt32.random(in: 1...UInt32(UInt16.max))
      unsafe shim_store_release_u32(base + Layout.listNumberOffset, state.listNumber)
    }
  }

  // MARK: The list

  func allocate(
    _ label: SectionLabel, byteCount: Int, prepare: (UnsafeMutableRawPointer) -> Void
  ) throws(LogWriterError) -> SectionMemory {
    try label.validate()
    return try state.withLock { (state: inout State) throws(LogWriterError) in
      if state.isClosed { throw .closed(path: path) }
      var section: Section?
      changeList(&state) { state in
        reclaim(&state)
        section = take(byteCount, &state)
        guard let section else { return }
        let payload = unsafe base + section.offset + Layout.sectionHeaderByteCount
        let room = section.byteCount - Layout.sectionHeaderByteCount
        unsafe payload.initializeMemory(as: UInt8.self, repeating: 0, count: room)
        unsafe prepare(payload)
        writeHeader(section, label, state: 0)
      }
      guard let section else { throw exhausted(byteCount, state) }
      return unsafe SectionMemory(
        base: base + section.offset + Layout.sectionHeaderByteCount, byteCount: byteCount, owner: segment,
        key: String(section.offset))
    }
  }

  func free(_ memory: SectionMemory) throws(LogWriterError) {
    state.withLock { state in
      guard !state.isClosed,
        let index = state.sections.firstIndex(where: { String($0.offset) == memory.key }),
        case .taken = state.sections[index].use
      else { return }
      let now = Self.now
      changeList(&state) { state in
        state.sections[index].use = .cooling(since: now)
        let header = unsafe base + state.sections[index].offset
        unsafe shim_store_u32(header + Layout.stateOffset, UInt32(truncatingIfNeeded: now))
        unsafe storeName(Layout.coolKind, at: header + Layout.kindOffset, room: 8)
      }
    }
  }

  /// Says that the log has ended in an orderly way; the file stays, and can still be read.
  func close() {
    state.withLock { state in
      state.isClosed = true
      unsafe shim_store_release_u32(base + Layout.masterOffset, 0)
    }
    unlock()
    place.release()
  }

  /// Changes the list so that no reader takes a half-changed one for a whole.
  private func changeList(_ state: inout State, _ body: (inout State) -> Void) {
    unsafe shim_store_u32(base + Layout.listNumberOffset, 0)
    shim_fence_release()
    body(&state)
    state.listNumber = state.listNumber == .max ? 1 : state.listNumber + 1
    unsafe shim_store_release_u32(base + Layout.listNumberOffset, state.listNumber)
  }

  /// Frees the sections that have cooled for long enough, and joins free ones that lie side by side.
  private func reclaim(_ state: inout State) {
    let now = Self.now
    var kept: [Section] = []
    for var section in state.sections {
      if case .cooling(let since) = section.use, now - since > cooldownSeconds { section.use = .free }
      if case .free = section.use, let last = kept.last, case .free = last.use {
        kept[kept.count - 1].byteCount += section.byteCount
      } else {
        kept.append(section)
      }
    }
    for section in kept {
      if case .free = section.use { writeHeader(section, SectionLabel(Layout.freeKind, name: ""), state: 0) }
    }
    state.sections = kept
  }

  /// Cuts a section off the first free piece that has room for it.
  private func take(_ byteCount: Int, _ state: inout State) -> Section? {
    guard byteCount >= 0, byteCount < Int(UInt32.max) else { return nil }
    for index in state.sections.indices {
      let piece = state.sections[index]
      guard case .free = piece.use else { continue }
      let needed = Self.length(for: byteCount, at: piece.offset)
      guard needed <= piece.byteCount else { continue }
      var section = Section(offset: piece.offset, byteCount: needed, use: .taken)
      let rest = Section(offset: piece.offset + needed, byteCount: piece.byteCount - needed, use: .free)
      if rest.byteCount < Layout.sectionHeaderByteCount + 8 {
        section.byteCount = piece.byteCount
        state.sections[index] = section
      } else {
        // The rest's header is there before the section that leads to it.
        writeHeader(rest, SectionLabel(Layout.freeKind, name: ""), state: 0)
        state.sections.replaceSubrange(index...index, with: [section, rest])
      }
      return section
    }
    return nil
  }

  /// The length after which the next section's contents lie at a multiple of 8.
  private static func length(for byteCount: Int, at offset: Int) -> Int {
    let end = offset + Layout.sectionHeaderByteCount + (byteCount + 7) & ~7
    return end + (12 - end % 8) % 8 - offset
  }

  private func exhausted(_ byteCount: Int, _ state: State) -> LogWriterError {
    var free = 0
    var cooling = 0
    for section in state.sections {
      switch section.use {
      case .free: free = max(free, section.byteCount - Layout.sectionHeaderByteCount)
      case .cooling: cooling += section.byteCount
      case .taken: break
      }
    }
    return .exhausted(path: path, needed: byteCount, free: max(free, 0), cooling: cooling)
  }

  // MARK: Headers

  private func writeHeader(_ section: Section, _ label: SectionLabel, state: UInt32) {
    let header = unsafe base + section.offset
    unsafe shim_store_u32(header, Layout.sectionMagic)
    unsafe shim_store_u32(header + Layout.lengthOffset, UInt32(section.byteCount))
    unsafe shim_store_u32(header + Layout.stateOffset, state)
    unsafe storeName(label.kind, at: header + Layout.kindOffset, room: 8)
    unsafe storeName(label.type, at: header + Layout.typeOffset, room: 8)
    unsafe storeName(label.name, at: header + Layout.nameOffset, room: 128)
  }

  private func storeName(_ name: String, at place: UnsafeMutableRawPointer, room: Int) {
    var bytes = Array(name.utf8.prefix(room - 1))
    bytes += [UInt8](repeating: 0, count: room - bytes.count)
    unsafe place.copyMemory(from: bytes, byteCount: room)
  }

  /// Seconds on a clock that is never set.
  private static var now: Int64 { SystemClock.steadyNanoseconds / 1_000_000_000 }
}
