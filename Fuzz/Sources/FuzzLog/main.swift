import CFuzz

/// Called by libFuzzer with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  guard let scenario = Scenario(bytes) else { return -1 }
  switch scenario.medium {
  case .file: FileTrial(scenario).run()
  case .ring: RingTrial(scenario).run()
  case .index: IndexTrial(scenario).run()
  case .memory: MemoryTrial(scenario).run()
  case .archive: ArchiveTrial(scenario).run()
  case .oldFile: OldFileTrial(scenario).run()
  }
  return 0
}

/// Called by libFuzzer to turn an input into a new one, in place.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(
  _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ countMax: Int, _ seed: UInt32
) -> Int {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  // One time in four, use libFuzzer's own mutations, which know nothing about inputs.
  guard seed % 4 != 0, var mutator = RecordMutator(bytes, seed: seed / 4) else {
    return LLVMFuzzerMutate(start, count, countMax)
  }
  let new = mutator.mutated().prefix(countMax)
  _ = UnsafeMutableBufferPointer(start: start, count: new.count).update(fromContentsOf: new)
  return new.count
}
