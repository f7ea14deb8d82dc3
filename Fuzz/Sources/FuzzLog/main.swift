/// Called by libFuzzer with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  guard let scenario = Scenario(bytes) else { return -1 }
  switch scenario.medium {
  case .file: FileTrial(scenario).run()
  case .ring: RingTrial(scenario).run()
  case .index: IndexTrial(scenario).run()
  }
  return 0
}
