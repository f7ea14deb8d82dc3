import TestSupport
import Testing

/// `spillway inspect`.
@Suite(.needs(.spillway))
struct InspectTests {
  private static func run(_ arguments: [String]) throws -> ProcessResult {
    try ProcessRunner.run(TestSupport.Command(try Subject.found().path, ["inspect"] + arguments))
  }

  @Test func `a copied directory tells who wrote it, when, and what is in it`() async throws {
    try await onOwnThread {
      let copy = try Fixture.named("frozen-8.0").path("instance")
      let result = try Self.run([copy])
      #expect(result.status == 0 && result.errorText.isEmpty)
      for part in [
        "form: ring, marker VSLHEAD2", "generation: 7.3 to 8.0", "manager: process ", ", doesn't run",
        "ring: 1048576 bytes", "the ring lasts: ", "  req rxreq", "  Log Log",
      ] {
        #expect(result.text.contains(part), "\(part)")
      }
      let json = try Self.run([copy, "--json"])
      #expect(json.text.contains("\"generation\":\"7.3 to 8.0\"") && json.text.contains("\"req rxreq\":"))
      #expect(try Self.run(["-n", copy]).output == result.output)
    }
  }

  @Test func `a file is counted record by record, up to where it is damaged`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("log.vsl")
    var log = LogFileBuilder(
      lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End\n4 b Begin bereq 2 fetch\n4 b End")
    log.add(6, .client, "ReqURL", String(repeating: "x", count: 254))
    try log.write(to: path)
    let whole = try Self.run([path])
    #expect(whole.status == 0)
    for part in ["records: 6, ", "1  req rxreq", "1  bereq fetch", "2  Begin", "1  ReqURL"] {
      #expect(whole.text.contains(part), "\(part)")
    }
    try writeFile(path, log.bytes.dropLast(3))
    let cut = try Self.run([path])
    #expect(cut.status == 1 && cut.text.contains("records: 5, ") && cut.errorText.contains("byte offset"))
    let none = try Self.run([])
    #expect(none.status == 1 && none.errorText == "spillway: Give either an input or -n\n")
  }
}
