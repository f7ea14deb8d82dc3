/// Which number stands for which tag; a property of the log, not of the reader.
public enum TagNumbering: Sendable, CaseIterable {
  /// Varnish 4.0.
  case v40
  /// Varnish 4.1 to 7.2.
  case v41
  /// Varnish 7.3 to 8.0.
  case v73
  /// Varnish 9.0, which renumbered under an unchanged marker.
  case v90
  /// Varnish 2.0.
  case v20
  /// Varnish 2.1.
  case v21
  /// Varnish 3.0.
  case v30

  /// The numbering that a release writes.
  public init(of version: VarnishVersion) {
    self =
      switch version {
      case ..<VarnishVersion(2, 1, 0): .v20
      case ..<VarnishVersion(3, 0, 0): .v21
      case ..<VarnishVersion(4, 0, 0): .v30
      case ..<VarnishVersion(4, 1, 0): .v40
      case ..<VarnishVersion(7, 3, 0): .v41
      case ..<VarnishVersion(9, 0, 0): .v73
      default: .v90
      }
  }

  /// Whether it is the numbering of logs whose records have the number of a connection in place of a
  /// transaction's.
  public var isOld: Bool {
    switch self {
    case .v20, .v21, .v30: true
    case .v40, .v41, .v73, .v90: false
    }
  }
}

/// What a release says of a tag's payload.
public enum TagFlag: Sendable {
  /// The tag has a name and is never logged.
  case unused
  /// The payload may hold any byte.
  case unsafe
  /// The payload is raw bytes.
  case binary
}

/// The two-way table between tags and the numbers of one numbering.
public struct TagTable: Sendable {
  /// The numbering this table is of.
  public let numbering: TagNumbering
  private let numbers: [UInt8?]
  private let tags: [Tag?]

  /// Makes the table of a numbering.
  public init(_ numbering: TagNumbering) {
    var numbers = [UInt8?](repeating: nil, count: Tag.allCases.count)
    var tags = [Tag?](repeating: nil, count: 256)
    for definition in Tag.definitions {
      guard let number = definition.number(in: numbering) else { continue }
      numbers[Int(definition.tag.rawValue)] = number
      tags[Int(number)] = definition.tag
    }
    self.numbering = numbering
    self.numbers = numbers
    self.tags = tags
  }

  /// The number of a tag; nil if the numbering lacks it.
  public func number(of tag: Tag) -> UInt8? { numbers[Int(tag.rawValue)] }

  /// The tag of a number; nil if the numbering gives it no meaning.
  public func tag(_ number: UInt8) -> Tag? { tags[Int(number)] }
}

/// The result of looking a tag up by name.
public enum TagLookup: Equatable, Sendable {
  case found(Tag)
  case unknown
  case ambiguous

  /// Finds a tag by its name or an unambiguous beginning of it, in any case of letters.
  public init(_ name: some Collection<UInt8>, in version: VarnishVersion) {
    var candidates: [Tag] = []
    for tag in Tag.allCases where tag.exists(in: version) {
      let full = tag.name.utf8
      guard full.count >= name.count,
        zip(full, name).allSatisfy({ ASCII.lowercased($0) == ASCII.lowercased($1) })
      else { continue }
      if full.count == name.count {
        self = .found(tag)
        return
      }
      candidates.append(tag)
    }
    self =
      switch candidates.count {
      case 0: .unknown
      case 1: .found(candidates[0])
      default: .ambiguous
      }
  }
}
