import FuzzSupport
import VarnishLog

/// Reads the payload as a binary log of 2.0, 2.1 or 3.0: as a file, and through a pipe.
///
/// Both must give the same lines. Of the details, byte 0 says which release wrote it (the two lowest bits: 0
/// for detection, then 2.0, 2.1 and 3.0).
struct OldFileTrial {
  private let scenario: Scenario

  init(_ scenario: Scenario) { self.scenario = scenario }

  func run() {
    let bytes = Array(scenario.payload)
    let scratch = Scratch.shared
    scratch.write(bytes, to: Scratch.capture)
    let numbering: TagNumbering? = [nil, .v20, .v21, .v30][Int(scenario.details.0 & 3)]
    let reading = CaptureReading(scenario, from: numbering)
    let mapped = reading.read(scratch.path + "/" + Scratch.capture)
    guard let pipe = FilledPipe(bytes, packetByteCount: nil) else { return }
    let piped = reading.read(pipe.path)
    require(mapped == piped, "other lines when piped")
  }
}
