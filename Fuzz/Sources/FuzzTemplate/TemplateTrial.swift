import FuzzSupport
import Rendering
import VarnishLog

/// Reads the input as a template file, runs its examples, and renders the specimens.
struct TemplateTrial {
  private let source: [UInt8]

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  init(_ source: [UInt8]) { self.source = source }

  func run() {
    let outcome = Outcome(source)
    require(Outcome(source) == outcome, "another outcome the second time")
    if !source.contains(0x0D) {
      let withReturns = source.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
      require(Outcome(withReturns) == outcome, "another outcome with CR LF")
    }
    if !source.starts(with: Self.byteOrderMark) {
      require(Outcome(Self.byteOrderMark + source) == outcome, "another outcome with a byte order mark")
    }
    switch outcome {
    case .refused(let error): examine(error)
    case .read(let reading):
      for header in reading.headerLines {
        require(!header.contains(0x0A), "a header of several lines")
      }
      let sketch = TemplateSketch(source)
      for lines in reading.lines { LineShape(sketch).examine(lines) }
    }
  }

  private func examine(_ error: TemplateError) {
    let lineCount = source.count { $0 == 0x0A } + 1
    if let line = error.line {
      require((1...lineCount).contains(line), "a fault in line \(line) of \(lineCount)")
    }
    let text = error.description
    require(!text.isEmpty, "an error without a text")
    require(
      text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 },
      "a message of several lines: \(text.debugDescription)")
  }
}

/// The result of reading a template file.
private enum Outcome: Equatable {
  case refused(TemplateError)
  case read(Reading)

  struct Reading: Equatable {
    let summary: String
    let side: Template.Side
    let headerLines: [[UInt8]]
    let failures: [String]
    /// The lines by the log's numbering; none where the format can't be used.
    let lines: [[[UInt8]?]]
  }

  init(_ source: [UInt8]) {
    do throws(TemplateError) {
      let template = try Template(parsing: source, name: "fuzz", origin: .builtIn)
      let failures = template.check()
      require(failures.count <= template.exampleCount, "more failures than examples")
      for failure in failures {
        require(failure.expected != failure.actual, "a failure without a difference: \(failure)")
      }
      self = .read(
        Reading(
          summary: template.summary, side: template.side, headerLines: template.headerLines,
          failures: failures.map(\.description), lines: TagNumbering.allCases.map { Self.lines(template, $0) }
        ))
    } catch {
      self = .refused(error)
    }
  }

  private static func lines(_ template: Template, _ numbering: TagNumbering) -> [[UInt8]?] {
    do throws(FormatError) {
      let format = try template.lineFormat(rules: .natural(for: numbering))
      return LineRoom.lines(of: format, in: numbering)
    } catch {
      require(!error.description.isEmpty, "an error without a text")
      return []
    }
  }
}
