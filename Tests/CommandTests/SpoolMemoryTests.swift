import TestSupport
import Testing

/// The sharing of spool memory among outputs.
@Suite(.enabled(if: Subject.isSpillway))
struct SpoolMemoryTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  private func check(_ text: String) throws -> (status: Int32?, lines: [String]) {
    let path = home.file("it.yaml")
    try writeFile(path, text.utf8)
    let result = try ProcessRunner.run(Command(try Subject.found().path, ["check", path]))
    let said = result.errorText + String(decoding: result.output, as: UTF8.self)
    return (result.status, said.split(separator: "\n").map { String($0.replacing(path, with: "it.yaml")) })
  }

  private func text(_ memory: [String?]) -> String {
    let outputs = memory.enumerated().map { index, memory in
      "  o\(index):\n    exec: cat > \(index)\n" + (memory.map { "    spool-memory: \($0)\n" } ?? "")
    }
    return "process:\n  spool-memory: 64M\noutputs:\n" + outputs.joined()
  }

  @Test func `outputs that leave the others nothing are a mistake, where the largest says so`() throws {
    let (status, lines) = try check(text(["4M", "60M", nil]))
    #expect(status == 1)
    let place = "it.yaml:9:19: spool-memory: "
    #expect(
      lines == [
        place
          + "67108864 bytes for the outputs that have it: expected less, or a larger sum: all outputs together "
          + "may take 67108864, of which each of the others needs 1M"
      ])
  }

  @Test(arguments: [["4M", "59M", nil], ["40M", "60M"], [nil, nil, nil]])
  func `what is left may be as little as each needs, and nothing where none shares`(memory: [String?]) throws
  {
    let (status, lines) = try check(text(memory))
    #expect(status == 0, "\(lines)")
  }

  @Test func `options that ask for too much are refused`() throws {
    try writeFile(home.file("log"), OutputsTests.log.bytes)
    let result = try ProcessRunner.run(
      Command(
        try Subject.found().path,
        [
          "ncsa", "-r", home.file("log"), "--spool-memory", "8M", "--output", "spool-memory=8M", "--output",
          "file=\(home.file("out"))",
        ]))
    #expect(result.status == 1)
    #expect(result.errorText.contains("spool-memory: 8388608 bytes for the outputs that have it"))
    #expect(result.output.isEmpty)
  }
}
