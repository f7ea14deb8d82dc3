import Pipeline
import Testing

/// Errors in a configuration that can be found before anything is opened.
struct ConfigurationCheckTests {
  private func output(_ format: String?, _ queries: String...) -> OutputConfiguration {
    var output = OutputConfiguration()
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(format.map { Array($0.utf8) })
    output.shown = .lines(formatting)
    output.queries = queries.map { Array($0.utf8) }
    return output
  }

  @Test func `every mistake in every output is told`() {
    var configuration = Configuration(input: InputConfiguration(.instance("/nonexistent")))
    configuration.outputs = [
      output("%z", "Foo == 1"), output("%h", "RespStatus == 200"), output(nil, "RespStatus =="),
    ]
    let mistakes = configuration.check()
    #expect(mistakes.map(\.outputIndex) == [0, 0, 2])
    #expect(mistakes.first?.error.description == "Unknown format specifier at: %z")
    #expect(
      mistakes.map { $0.error.hasLines } == [false, true, true], "a format, and two queries with their marks")
    configuration.outputs = [output("%h")]
    #expect(configuration.check().isEmpty)
  }

  @Test func `configurations that say the same are equal`() {
    var one = Configuration(
      input: InputConfiguration(.instance(nil)), output: output("%h", "RespStatus == 200"))
    var other = Configuration(input: InputConfiguration(.instance(nil)), output: OutputConfiguration())
    other.outputs[0] = output("%h", "RespStatus == 200")
    #expect(one == other)
    other.process.drainSeconds = 6
    #expect(one != other)
    one.process.drainSeconds = 6
    #expect(one == other)
    other.outputs[0].target = .descriptor(2, name: "errors")
    #expect(one != other)
    one.outputs[0].target = .descriptor(2, name: "other errors")
    #expect(one != other)
  }
}
