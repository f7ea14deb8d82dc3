import Platform
import CShims
import Glibc
import LogWriting
import SharedMemory
import VarnishLog

/// Reads a single-file log by the rules of `shm-layout.md` 3, as a small model of a live reader.
public struct SectionWalk: ~Copyable {
  /// A section of the list.
  public struct Section: Equatable, Sendable {
    /// Its class.
    public let kind: String
    /// Its type.
    public let type: String
    /// Its name.
    public let name: String
    /// The offset of its contents in the file.
    public let offset: Int
    /// The size of its contents in bytes.
    public let byteCount: Int
  }

  private let mapping: ReadOnlyMapping
  private typealias Layout = SectionFileLayout

  /// Maps the file in a directory.
  public init(_ directory: String) throws {
    let file = try ReadOnlyFile(path: directory + "/_.vsm")
    mapping = try ReadOnlyMapping(file, byteCount: file.state().byteCount)
  }

  /// The first byte of the file.
  public var base: UnsafeRawPointer { mapping.base }
  /// The process that writes it; 0 after its end.
  public var master: Int32 { mapping.base.load(fromByteOffset: Layout.masterOffset, as: Int32.self) }
  /// The number of the list's state; 0 while the list is being changed.
  public var listNumber: UInt32 { shim_load_acquire_u32(mapping.base + Layout.listNumberOffset) }

  /// The list and its number; nil if the list changed meanwhile.
  ///
  /// - Throws: `WalkError` if the list is invalid though it didn't change.
  public func sections() throws(WalkError) -> (list: [Section], number: UInt32)? {
    let number = listNumber
    guard number != 0 else { return nil }
    var list: [Section] = []
    var problem: String?
    guard mapping.base.load(as: UInt32.self) == Layout.magic else { throw WalkError("no magic") }
    let end = Int(mapping.base.load(fromByteOffset: Layout.sizeOffset, as: UInt32.self))
    guard end <= mapping.byteCount else { throw WalkError("the file is shorter than it says") }
    var offset = Layout.firstSectionOffset
    while offset < end, problem == nil {
      let header = mapping.base + offset
      let byteCount = Int(header.load(fromByteOffset: Layout.lengthOffset, as: UInt32.self))
      if header.load(as: UInt32.self) != Layout.sectionMagic {
        problem = "no section at \(offset)"
      } else if byteCount < Layout.sectionHeaderByteCount || byteCount > end - offset {
        problem = "a section of \(byteCount) bytes at \(offset)"
      }
      list.append(
        Section(
          kind: text(header + Layout.kindOffset, 8), type: text(header + Layout.typeOffset, 8),
          name: text(header + Layout.nameOffset, 128), offset: offset + Layout.sectionHeaderByteCount,
          byteCount: byteCount - Layout.sectionHeaderByteCount))
      offset += byteCount
    }
    shim_fence_acquire()
    guard listNumber == number else { return nil }
    if let problem { throw WalkError(problem) }
    return (list, number)
  }

  private func text(_ start: UnsafeRawPointer, _ room: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: start, count: room)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// An invalid list of sections.
public struct WalkError: Error, CustomStringConvertible {
  /// What is wrong with the list.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Reads the ring of a single-file log, step by step as described in `shm-layout.md` 3.4.
public struct TurningReader {
  private let words: UnsafeRawPointer
  private let wordCount: Int
  private var position = 1
  private var remembered: UInt32 = 0

  /// Begins at the front of a ring in readable memory.
  public init(words: UnsafeRawPointer, byteCount: Int) {
    self.words = words
    wordCount = byteCount / 4
  }

  /// The next record's tag number, connection and text; nil if there is none for now.
  public mutating func next() -> (tag: UInt8, id: UInt32, text: String)? {
    while true {
      let word = shim_load_acquire_u32(words + position * 4)
      if word == RingMarks.old.wrap {
        position = 1
        continue
      }
      if word == RingMarks.old.end {
        guard position != 1, remembered != shim_load_acquire_u32(words) else { return nil }
        position = 1
        continue
      }
      if position == 1 { remembered = shim_load_acquire_u32(words) }
      let count = Int(word & 0xFFFF)
      guard position + 2 + (count + 3) / 4 <= wordCount else { return nil }
      let id = (words + position * 4 + 4).load(as: UInt32.self)
      let bytes = UnsafeRawBufferPointer(start: words + position * 4 + 8, count: count)
      position += 2 + (count + 3) / 4
      return (UInt8(word >> 24), id, String(decoding: bytes, as: UTF8.self))
    }
  }
}
