/// Where things stand in a log of one file, 3.0's (`shm-layout.md` 3.1, 3.2).
///
/// ```
/// byte 0      magic          UInt32, stored last
///      4      head size      UInt32, first section's header included
///      8      start          Int64, seconds since 1970
///      16     master         Int32, process number; 0 after a clean end
///      20     child          Int32
///      24     file size      UInt32
///      28     panic message  65536 bytes
///      65564  list number    UInt32: 0 while the list of sections changes, another number afterwards
///      65568  first section, each with a header of 156 bytes
/// ```
package enum SectionFileLayout {
  package static let magic: UInt32 = 4_185_512_502
  package static let headByteCount: UInt32 = 65728
  package static let startOffset = 8
  package static let masterOffset = 16
  package static let childOffset = 20
  package static let sizeOffset = 24
  package static let listNumberOffset = 65564
  package static let firstSectionOffset = 65568

  // In a section's header.
  package static let sectionMagic: UInt32 = 0x4390_7B6E
  package static let lengthOffset = 4
  package static let stateOffset = 8
  package static let kindOffset = 12
  package static let typeOffset = 20
  package static let nameOffset = 28
  package static let sectionHeaderByteCount = 156

  package static let freeKind = "Free"
  package static let coolKind = "Cool"
  package static let logKind = "Log"
  /// The first words of the kinds of a log's section and of one that cools, by which these differ from all
  /// other kinds.
  package static let logKindWord: UInt32 = 0x0067_6F4C, coolKindWord: UInt32 = 0x6C6F_6F43
}
