/// Reads the payload as the index that a worker publishes, beside a valid log, or as the index of a copy.
///
/// The part behind a NUL byte, if there is one, is the manager's index.
struct IndexTrial {
  private let scenario: Scenario

  private static let usualManagerIndex = Array("# 1 1\n".utf8)

  init(_ scenario: Scenario) { self.scenario = scenario }

  func run() {
    let scratch = Scratch.shared
    let parts = scenario.payload.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    scratch.write(Array(parts[0]), to: Scratch.workerIndex)
    if parts.count > 1 { scratch.write(Array(parts[1]), to: Scratch.managerIndex) }
    // Two pages, so that indexes can name a part of it.
    var segment = [UInt8](repeating: 0x45, count: 8192)
    SegmentHead.mend(&segment, scenario.details.1 & 1 == 0 ? 0x3144_4145_484C_5356 : 0x3244_4145_484C_5356)
    for index in 16..<SegmentHead.byteCount { segment[index] = index < 32 ? 0 : 0xFF }
    let endMark: [UInt8] = [0x45, 0x45, 0x45, 0xFE]
    segment.replaceSubrange(SegmentHead.byteCount..<(SegmentHead.byteCount + 4), with: endMark)
    let file = WritableFile(scratch.path + "/" + Scratch.log)
    file.write(segment, at: 0)
    if scenario.isCopied {
      CaptureReading(scenario).read(scratch.path)
    } else {
      let writer = RingWriter(steps: []) { _ in }
      RingReading(scenario).follow(scratch.path, mappedByteCount: nil, writer)
    }
    if parts.count > 1 { scratch.write(Self.usualManagerIndex, to: Scratch.managerIndex) }
  }
}
