import FuzzSupport
import Rendering
import VarnishLog

/// Reads a format and renders the specimens.
///
/// Two bytes choose the settings; then comes the format. Both bytes can be letters, so that inputs can be read:
///
/// ```
/// byte 0   release whose rules hold
///      1   strict, JSON (1 bit each), the numbering: that of the release, or one of the four of 4.0 and later (3 bits)
///      2   format
/// ```
struct FormatTrial {
  private static let headByteCount = 2

  private let rules: NCSARules
  private let isJSON: Bool
  private let numbering: TagNumbering
  private let format: [UInt8]

  /// Parses an input; nil if there are too few bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headByteCount else { return nil }
    let version = VarnishVersion(choice: bytes[0])
    rules = NCSARules(version, isStrict: bytes[1] & 1 != 0)
    isJSON = bytes[1] & 2 != 0
    numbering =
      bytes[1] & 4 == 0 ? TagNumbering(of: version) : TagNumbering.allCases[Int(bytes[1] >> 3 & 3)]
    format = Array(bytes[Self.headByteCount...])
  }

  func run() {
    do throws(FormatError) {
      let compiled = try LineFormat(format, rules: rules, isJSON: isJSON)
      let lines = LineRoom.lines(of: compiled, in: numbering, again: true)
      for line in lines { examine(line ?? [0x0A]) }
      examineAgain(lines)
      if rules.isStrict { examineLenient(lines) }
      if isJSON, !rules.isStrict { examineString() }
    } catch {
      examine(error)
      do throws(FormatError) {
        _ = try LineFormat(format, rules: rules, isJSON: isJSON)
        violated("refused only the first time: \(error)")
      } catch let second {
        require(second == error, "another error the second time: \(error), \(second)")
      }
    }
  }

  /// Checks that a line is one line, and that printable formats give printable lines.
  private func examine(_ line: [UInt8]) {
    let text = FormatText(format)
    // Releases before 4.0 escape nothing.
    guard isJSON || rules.version >= VarnishVersion(4, 0, 0), !text.makesControls else { return }
    require(line.firstIndex(of: 0x0A) == line.count - 1, "two lines in one: \(show(line))")
    if !isJSON, text.isPrintable {
      require(
        line.dropLast().allSatisfy { (0x20...0x7E).contains($0) }, "a byte that isn't escaped: \(show(line))")
    }
  }

  private func examineAgain(_ lines: [[UInt8]?]) {
    do throws(FormatError) {
      let compiled = try LineFormat(format, rules: rules, isJSON: isJSON)
      require(LineRoom.lines(of: compiled, in: numbering) == lines, "other lines the second time")
    } catch {
      violated("refused only the second time: \(error)")
    }
  }

  /// Checks that a format accepted by strict rules is accepted by lenient ones, with the same lines.
  private func examineLenient(_ lines: [[UInt8]?]) {
    do throws(FormatError) {
      let rules = NCSARules(rules.version, isStrict: false)
      let compiled = try LineFormat(format, rules: rules, isJSON: isJSON)
      let lenient = LineRoom.lines(of: compiled, in: numbering)
      // Lenient rules escape JSON differently.
      require(isJSON || lenient == lines, "other lines by lenient rules")
    } catch {
      violated("refused by lenient rules: \(error)")
    }
  }

  /// Checks that a line between quotation marks is a JSON string, for any log.
  private func examineString() {
    let text = FormatText(format)
    guard !text.makesControls, !text.contains("\""), !text.contains("\\"), !text.contains("default_format"),
      String(validating: format, as: UTF8.self) != nil
    else { return }
    do throws(FormatError) {
      let quotationMark = [UInt8(ascii: "\"")]
      let compiled = try LineFormat(quotationMark + format + quotationMark, rules: rules, isJSON: true)
      for line in LineRoom.lines(of: compiled, in: numbering) {
        guard let line = line?.dropLast() else { continue }
        require(
          Array(line).withUnsafeBytes { JSONSyntax.isValue($0) }
            && String(validating: line, as: UTF8.self) != nil, "no JSON string: \(show(Array(line)))")
      }
    } catch {
      violated("refused between quotation marks: \(error)")
    }
  }

  /// Checks that an error quotes the format from the place of the error on.
  private func examine(_ error: FormatError) {
    require(!error.description.isEmpty, "an error without a text")
    switch error {
    case .unknownSpecifier(let rest), .unknownSpecifierInOldTool(let rest), .unmatchedBracket(let rest):
      let text = Array(String(decoding: format, as: UTF8.self).utf8)
      require(rest.utf8.first == UInt8(ascii: "%"), "a fault before a specifier: \(rest)")
      require(text.suffix(rest.utf8.count).elementsEqual(rest.utf8), "a fault elsewhere: \(rest)")
    default: break
    }
  }

  private func show(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self).debugDescription }
}
