/// Called by libFuzzer with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let trial = InspectTrial(UnsafeBufferPointer(start: start, count: count)) else { return -1 }
  trial.run()
  return 0
}
