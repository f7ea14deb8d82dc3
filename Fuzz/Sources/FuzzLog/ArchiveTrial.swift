import FuzzSupport

/// Reads the payload as a tar archive of a working directory: as a file, and through a pipe.
///
/// Both must give the same lines. Of the details, byte 0 has 1 bit each: whether the checksums of the headers
/// are corrected; whether a directory in the archive is named.
struct ArchiveTrial {
  private let scenario: Scenario
  private let bytes: [UInt8]

  private static let blockByteCount = 512

  init(_ scenario: Scenario) {
    self.scenario = scenario
    let payload = Array(scenario.payload)
    bytes = scenario.details.0 & 1 != 0 ? Self.mended(payload) : payload
  }

  func run() {
    let scratch = Scratch.shared
    scratch.write(bytes, to: Scratch.capture)
    let reading = CaptureReading(scenario)
    let inside = scenario.details.0 & 2 != 0 ? "/web1" : ""
    let mapped = reading.read(scratch.path + "/" + Scratch.capture + inside)
    guard inside.isEmpty else { return }
    guard let pipe = FilledPipe(bytes, packetByteCount: nil) else { return }
    require(mapped == reading.read(pipe.path), "other lines when piped")
  }

  /// The archive with correct checksums in all headers that are found by following the sizes.
  private static func mended(_ archive: [UInt8]) -> [UInt8] {
    var archive = archive
    var at = 0
    while at + blockByteCount <= archive.count {
      guard archive[at..<at + blockByteCount].contains(where: { $0 != 0 }) else { break }
      if archive[at] == 0 { archive[at] = 0x2E }
      let field = at + 148..<at + 156
      archive.replaceSubrange(field, with: [UInt8](repeating: 0x20, count: 8))
      var sum = archive[at..<at + blockByteCount].reduce(0) { $0 + Int($1) }
      for index in (at + 148..<at + 154).reversed() {
        archive[index] = UInt8(0x30 + sum & 7)
        sum >>= 3
      }
      archive[at + 154] = 0
      at += blockByteCount + (size(archive[at + 124..<at + 136]) + 511) / 512 * 512
    }
    return archive
  }

  /// The value of a size in octal digits, limited to the size of an input.
  private static func size(_ field: ArraySlice<UInt8>) -> Int {
    let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
    return digits.reduce(0) { min(1 << 20, $0 << 3 | Int($1 & 7)) }
  }
}
