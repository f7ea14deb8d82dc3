/// Recognizes the names that a strftime template makes, and reads the time in them.
///
/// A file whose name only looks alike must not be deleted, so this is strict: numbers have the digits
/// and the range that strftime gives them, and conversions of variable shape are refused.
struct TimePattern: Sendable {
  /// The time in a name, most significant field first, comparable between names of one pattern.
  typealias Reading = [Int]

  /// The fields of a reading, in their order.
  private enum Field: Int, Sendable, CaseIterable {
    case epoch, year, month, week, dayOfYear, day, weekday, hour, minute, second
  }

  private enum Element: Sendable {
    case literal(String)
    case number(Field, digits: ClosedRange<Int>, values: ClosedRange<Int>)
    /// One of these words; its index is the value of the field, if there is one.
    case word([String], Field?)
  }

  /// A conversion whose results cannot be told from other text.
  struct Unsupported: Error {
    let conversion: String
  }

  private var elements: [Element] = []

  init(_ template: String) throws(Unsupported) {
    var rest = template[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        append(literal: character)
        continue
      }
      guard let conversion = rest.popFirst() else { throw Unsupported(conversion: "%") }
      try append(conversion: conversion)
    }
  }

  private mutating func append(literal character: Character) {
    if case .literal(let text)? = elements.last {
      elements[elements.count - 1] = .literal(text + String(character))
    } else {
      elements.append(.literal(String(character)))
    }
  }

  private mutating func append(conversion: Character) throws(Unsupported) {
    switch conversion {
    case "%": append(literal: "%")
    case "Y": elements.append(.number(.year, digits: 4...4, values: 0...9999))
    case "y": elements.append(.number(.year, digits: 2...2, values: 0...99))
    case "m": elements.append(.number(.month, digits: 2...2, values: 1...12))
    case "d": elements.append(.number(.day, digits: 2...2, values: 1...31))
    case "j": elements.append(.number(.dayOfYear, digits: 3...3, values: 1...366))
    case "H": elements.append(.number(.hour, digits: 2...2, values: 0...23))
    case "M": elements.append(.number(.minute, digits: 2...2, values: 0...59))
    case "S": elements.append(.number(.second, digits: 2...2, values: 0...60))
    case "s": elements.append(.number(.epoch, digits: 1...18, values: 0...Int.max))
    case "V": elements.append(.number(.week, digits: 2...2, values: 1...53))
    case "U", "W": elements.append(.number(.week, digits: 2...2, values: 0...53))
    case "G": elements.append(.number(.year, digits: 4...4, values: 0...9999))
    case "u": elements.append(.number(.weekday, digits: 1...1, values: 1...7))
    case "w": elements.append(.number(.weekday, digits: 1...1, values: 0...6))
    case "I": elements.append(.number(.hour, digits: 2...2, values: 1...12))
    case "F": try append(all: "Y-m-d")
    case "T": try append(all: "H:M:S")
    case "R": try append(all: "H:M")
    case "b", "B", "h": elements.append(.word(Self.months("%\(conversion)"), .month))
    case "a", "A": elements.append(.word(Self.weekdays("%\(conversion)"), nil))
    default: throw Unsupported(conversion: "%\(conversion)")
    }
  }

  private mutating func append(all conversions: String) throws(Unsupported) {
    for character in conversions {
      if character.isLetter {
        try append(conversion: character)
      } else {
        append(literal: character)
      }
    }
  }

  /// The names of the twelve months, each taken from a day near the middle of a month of 1970.
  private static func months(_ conversion: String) -> [String] {
    (0..<12).compactMap { month in
      unsafe LocalTime.expand(conversion, LocalTime.fieldsOfUTC(at: (14 + month * 365 / 12) * 86_400))
    }
  }

  /// The names of seven days in a row.
  private static func weekdays(_ conversion: String) -> [String] {
    (0..<7).compactMap { unsafe LocalTime.expand(conversion, LocalTime.fieldsOfUTC(at: $0 * 86_400)) }
  }

  /// The time in a name; nil if the template never makes that name.
  func read(_ name: String) -> Reading? {
    var reading = Reading(repeating: 0, count: Field.allCases.count)
    var rest = name[...]
    for element in elements {
      switch element {
      case .literal(let text):
        guard rest.hasPrefix(text) else { return nil }
        rest = rest.dropFirst(text.count)
      case .number(let field, let digits, let values):
        let text = rest.prefix(digits.upperBound).prefix { $0.isASCII && $0.isNumber }
        guard text.count >= digits.lowerBound, let value = Int(text), values.contains(value) else {
          return nil
        }
        reading[field.rawValue] = value
        rest = rest.dropFirst(text.count)
      case .word(let words, let field):
        guard let index = words.firstIndex(where: { !$0.isEmpty && rest.hasPrefix($0) }) else {
          return nil
        }
        if let field { reading[field.rawValue] = index + 1 }
        rest = rest.dropFirst(words[index].count)
      }
    }
    return rest.isEmpty ? reading : nil
  }
}
