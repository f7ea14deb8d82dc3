import Testing
import VarnishLog

/// The escaped form of each of the 256 bytes.
struct EscapingTests {
  /// Releases with rules of their own.
  enum Habit: Sendable, CaseIterable {
    case plainUpTo61, plainUpTo73, plainSince74
    case jsonUpTo73, jsonSince74

    var isJSON: Bool { self == .jsonUpTo73 || self == .jsonSince74 }

    var versions: [VarnishVersion] {
      switch self {
      case .plainUpTo61:
        [VarnishVersion(4, 0), VarnishVersion(4, 1), VarnishVersion(6, 0, 16), VarnishVersion(6, 1)]
      case .plainUpTo73: [VarnishVersion(6, 2), VarnishVersion(7, 1), VarnishVersion(7, 3)]
      case .plainSince74: [VarnishVersion(7, 4), VarnishVersion(8, 0), VarnishVersion(9, 0)]
      case .jsonUpTo73: [VarnishVersion(7, 0), VarnishVersion(7, 3)]
      case .jsonSince74: [VarnishVersion(7, 4), VarnishVersion(9, 0)]
      }
    }

    /// The escaped form of a byte.
    func text(for byte: UInt8) -> [UInt8] {
      let letter: String? =
        switch byte {
        case 0x22: "\""
        case 0x5C: "\\"
        case 0x0A: "n"
        case 0x0D: "r"
        case 0x09: "t"
        case 0x0B: [.plainUpTo61, .plainUpTo73, .jsonUpTo73].contains(self) ? "v" : nil
        case 0x0C: self == .plainUpTo61 ? "f" : nil
        default: nil
        }
      if let letter { return Array("\\\(letter)".utf8) }
      let isSpecial = byte < 0x20 || (byte > 0x7E && !isJSON)
      guard isSpecial else { return [byte] }
      let digits = String(byte, radix: 16)
      return Array(((isJSON ? "\\u00" : "\\x") + (byte < 16 ? "0" : "") + digits).utf8)
    }
  }

  @Test(arguments: Habit.allCases) func `every byte, alone and among others`(_ habit: Habit) throws {
    for version in habit.versions {
      let rendering = try Rendering("[%{VCL_Log:k}x]", version, isJSON: habit.isJSON)
      for byte in UInt8.min...UInt8.max {
        // Between letters, so that neither trimming nor a final NUL matters; and also behind so many letters
        // that the search for whole words of harmless bytes meets the byte.
        for front in ["a", "abcdefghijklmnop"] {
          let line = rendering.line([("VCL_Log", Array("k:\(front)".utf8) + [byte, 0x62])])
          let expected = Array("[\(front)".utf8) + habit.text(for: byte) + Array("b]\n".utf8)
          #expect(line == expected, "byte \(byte), version \(version)")
        }
      }
    }
  }

  @Test(arguments: [VarnishVersion(4, 1), VarnishVersion(6, 0), VarnishVersion(7, 1), nil])
  func `what the format says itself is never escaped`(version: VarnishVersion?) throws {
    let rendering = try Rendering(#"é\t"\\ %{A}i"#, version)
    let line = rendering.line([("ReqHeader", Array("A: \"".utf8))])
    #expect(String(decoding: line, as: UTF8.self) == "é\t\"\\ \\\"\n")
  }
}
