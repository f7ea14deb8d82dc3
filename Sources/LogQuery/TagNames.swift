import VarnishLog

/// Finds the tags that a query names (`vsl-tags.md` 6).
struct TagNames {
  /// What is wrong with a name, without its place.
  struct Fault: Error {
    let reason: QueryError.Reason
  }

  let table: TagTable
  let rules: QueryRules

  /// The numbers, in this log, of the tags that a name, the beginning of one, or a glob stands for.
  func numbers(of name: [UInt8]) throws(Fault) -> TagSet {
    var numbers = TagSet()
    for tag in try tags(name) {
      // A release may know tags that the log's numbering lacks; no record has them.
      if let number = table.number(of: tag) { numbers.insert(number) }
    }
    return numbers
  }

  private func tags(_ name: [UInt8]) throws(Fault) -> [Tag] {
    if let star = name.firstIndex(of: UInt8(ascii: "*")) { return try tags(name, star: star) }
    guard !name.isEmpty else { throw Fault(reason: .unknownTag) }
    switch TagLookup(name, in: rules.version) {
    case .found(let tag): return [tag]
    case .unknown: throw Fault(reason: .unknownTag)
    case .ambiguous: throw Fault(reason: .ambiguousTag)
    }
  }

  private func tags(_ glob: [UInt8], star: Int) throws(Fault) -> [Tag] {
    let front = glob[..<star].map(ASCII.lowercased)
    let back = glob[(star + 1)...].map(ASCII.lowercased)
    guard !back.contains(UInt8(ascii: "*")), rules.hasInnerGlobs || front.isEmpty || back.isEmpty
    else { throw Fault(reason: .badGlob) }
    let tags = Tag.allCases.filter { tag in
      guard tag.exists(in: rules.version) else { return false }
      let name = tag.name.utf8.map(ASCII.lowercased)
      return name.count >= front.count + back.count && name.starts(with: front)
        && name.suffix(back.count).elementsEqual(back)
    }
    guard !tags.isEmpty else { throw Fault(reason: .unknownTag) }
    return tags
  }
}
