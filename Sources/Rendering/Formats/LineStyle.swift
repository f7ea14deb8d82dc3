/// How values are written in a line: their escaping, and what is written for missing values.
struct LineStyle: Sendable {
  var escaping: Escaping
  /// For text.
  var missingText: [UInt8]
  /// For numbers.
  var missingNumber: [UInt8]
  /// For the query string; a request without one doesn't count as missing it.
  var missingQuery: [UInt8] = []
  /// For a time to first byte.
  var missingFirstByte: [UInt8]
  /// For a key that wasn't logged.
  var missingLogKey: [UInt8]
  /// For the user.
  var missingUser = Array("-".utf8)
  /// For the handling of a request in the cache.
  var missingHandling = Array("-".utf8)
  /// In the place of a whole string, quotation marks included.
  var missingString: [UInt8] = []
  /// Where only a number is allowed; with `-j`, where JSON has a value without quotation marks.
  var missingBareNumber: [UInt8] = []
  /// Whether an empty value counts as missing.
  var missesEmpty = false

  /// The style of `-F`, with or without `-j`.
  init(_ rules: NCSARules, isJSON: Bool) {
    let dash = Array("-".utf8)
    escaping = isJSON ? rules.jsonEscaping : rules.textEscaping
    missingText = isJSON ? [] : dash
    missingNumber = isJSON ? Array("0".utf8) : dash
    missingFirstByte =
      isJSON ? Array("0".utf8) : rules.missingFirstByte.withUTF8Buffer { unsafe Array($0) }
    missingLogKey = isJSON ? [] : rules.missingLogKey.withUTF8Buffer { unsafe Array($0) }
    missingBareNumber = Array("null".utf8)
  }

  /// The style of a template.
  ///
  /// JSON's null stands for whole values only; inside a string, nothing is written.
  init(escaping: Escaping, missingText: [UInt8], missingNumber: [UInt8]) {
    let null = Array("null".utf8)
    func inString(_ missing: [UInt8]) -> [UInt8] {
      escaping == .json && missing == null ? [] : missing
    }
    self.escaping = escaping
    self.missingText = inString(missingText)
    self.missingNumber = inString(missingNumber)
    missingFirstByte = self.missingNumber
    missingLogKey = self.missingText
    missingUser = self.missingText
    missingHandling = self.missingText
    missingString = missingText
    missingBareNumber = missingNumber
    // Some readers of logfmt lose the rest of a line behind an empty value.
    missesEmpty = escaping.needsSomething || escaping == .logfmt
  }
}
