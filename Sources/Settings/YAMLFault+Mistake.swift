extension YAMLFault {
  /// The fault in our own words: what was found at its place, and what is expected.
  func mistake(in text: SourceText) -> SettingsMistake {
    let found = Self.shown(text, mark)
    let start = contextMark.line + 1
    func here(_ expected: String, found other: String? = nil) -> SettingsMistake {
      SettingsMistake(
        place: text.place(line: mark.line, column: mark.column), found: other ?? found, expected: expected)
    }
    func atStart(_ expected: String, found other: String? = nil) -> SettingsMistake {
      SettingsMistake(
        place: text.place(line: contextMark.line, column: contextMark.column),
        found: other ?? Self.shown(text, contextMark), expected: expected)
    }
    let startsWithTab = text.rest(line: mark.line, column: mark.column)?.hasPrefix("\t") == true
    switch problem {
    case "could not find expected ':'":
      return atStart("a key of one line with a colon and a blank behind it, as in \"key: value\"")
    case "mapping values are not allowed in this context":
      return here("no second colon; a text with a colon and a blank in it stands in quotation marks")
    case "found character that cannot start any token" where startsWithTab,
      "found a tab character where an indentation space is expected",
      "found a tab character that violates indentation":
      return here("blanks to indent with", found: "a TAB")
    case "found character that cannot start any token":
      return here("a text that begins like this to stand in quotation marks")
    case "found unexpected end of stream":
      return atStart("another one that closes it", found: "a quotation mark that is never closed")
    case "found unexpected document indicator":
      return here("the quotation mark that closes the text from line \(start)")
    case "found unknown escape character", "did not find expected hexdecimal number",
      "found invalid Unicode character escape code":
      return here("an escape that YAML has; between single quotation marks, a backslash is one")
    case "did not find expected key":
      return here("a key in column \(contextMark.column + 1), like those of the mapping from line \(start)")
    case "did not find expected '-' indicator":
      return here("\"-\" in column \(contextMark.column + 1), as in the list from line \(start)")
    case "did not find expected ',' or ']'":
      return here("\",\" or \"]\" for the list that begins in line \(start)")
    case "did not find expected ',' or '}'":
      return here("\",\" or \"}\" for the mapping that begins in line \(start)")
    case "did not find expected <document start>":
      return here("nothing behind the settings, all of which begin in the same column")
    case "did not find expected node content":
      return here("a value")
    case "found undefined tag handle":
      return here("the value without a tag")
    case "did not find expected alphabetic or numeric character",
      "mapping keys are not allowed in this context":
      return atStart("a text that begins like this to stand in quotation marks")
    case "block sequence entries are not allowed in this context":
      return here("a list that begins on a line of its own")
    case "did not find expected comment or line break":
      return here("the text to begin in the next line")
    case "out of memory":
      return here("more memory", found: problem)
    default:
      return here("YAML", found: "\(found), \(problem)")
    }
  }

  /// The text at a place, for a message.
  private static func shown(_ text: SourceText, _ mark: YAMLMark) -> String {
    guard let rest = text.rest(line: mark.line, column: mark.column) else { return "the end of the file" }
    return rest.isEmpty ? "the end of the line" : Excerpt.quoted(rest)
  }
}
