/// Called by libFuzzer with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  // The first byte says what the other bytes are.
  switch bytes.first {
  case UInt8(ascii: "y"): FileTrial(Array(bytes.dropFirst())).run()
  case UInt8(ascii: "o"):
    guard let text = String(validating: bytes.dropFirst(), as: UTF8.self) else { return -1 }
    OptionTrial(text).run()
  default: return -1
  }
  return 0
}
