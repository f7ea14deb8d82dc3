/// Where things stand in `_.vsm`, the one file of 4.0 to 5.1 (`shm-layout.md` 4.1, 4.2).
///
/// ```
/// byte 0   marker       8 bytes
///      8   head size    Int64
///     16   file size    Int64
///     24   first chunk  Int64, where it begins; 0 = none
///     32   list number  UInt32: 0 = the file is abandoned; another one after each change
///     40   age          UInt64, seconds since the file was made, as long as there is a manager
///
/// each chunk:
/// byte 0   marker       8 bytes
///      8   length       Int64, these 168 bytes included; 0 = freed
///     16   next chunk   Int64, where it begins; 0 = the last one
///     24   kind         8 bytes
///     32   type         8 bytes
///     40   name         128 bytes
/// ```
package enum ChunkFileLayout {
  /// How the file begins: `VSMHEAD0`.
  package static let magic: UInt64 = 0x3044_4145_484D_5356
  package static let name = "VSMHEAD0"
  package static let sizeOffset = 16
  package static let firstChunkOffset = 24
  package static let listNumberOffset = 32
  package static let ageOffset = 40
  package static let headByteCount = 48

  /// How a chunk begins: `VSMCHUNK`.
  package static let chunkMagic: UInt64 = 0x4B4E_5548_434D_5356
  package static let lengthOffset = 8
  package static let nextOffset = 16
  package static let kindOffset = 24
  package static let typeOffset = 32
  package static let nameOffset = 40
  package static let chunkHeaderByteCount = 168
}
