/// Called by libFuzzer with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard bytes.count >= 2 else { return -1 }
  let rest = Array(bytes.dropFirst(2))
  // The first byte says what the other bytes are, the second one how they are cut into pieces.
  switch bytes[0] {
  case UInt8(ascii: "r"): RequestTrial(rest, cut: bytes[1]).run()
  case UInt8(ascii: "a"): RequestTrial(accepting: rest, cut: bytes[1]).run()
  default: return -1
  }
  return 0
}
