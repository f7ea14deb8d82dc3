import VarnishLog

extension CapturePlan {
  /// The records that lines depend on.
  var wish: PickWish {
    // Loosely, a record matches even if it has only the beginning of a header's name.
    let matchesLoosely = rules.matchesHeadersLoosely
    var wish = PickWish()
    for number in RecordHeader.tagNumbers {
      for entry in [entry(number, isBackend: false), entry(number, isBackend: true)] where entry.isUsed {
        if let names = beginnings(of: number, entry, matchesLoosely) {
          wish.want(number, beginningWith: names)
        } else {
          wish.want(number)
        }
      }
    }
    return wish
  }

  /// The beginnings of the records of a tag that count, in any case of letters; nil if any beginning counts.
  private func beginnings(of tag: UInt8, _ entry: Entry, _ matchesLoosely: Bool) -> [[UInt8]]? {
    guard var names = beginnings(for: entry.action, matchesLoosely) else { return nil }
    guard entry.isWatched else { return names }
    for watch in records where watch.tag == tag {
      guard let prefix = watch.prefix else { return nil }
      names.append(prefix)
    }
    return names
  }

  private func beginnings(for action: Action, _ matchesLoosely: Bool) -> [[UInt8]]? {
    switch action {
    case .none: []
    case .return: ["restart", "pipe"].map { Array($0.utf8) }
    case .timestamp:
      (["start:"]
        + (takesOtherTimes ? ["resp:", "pipesess:", "berespbody:", "process:", "pipe:", "beresp:"] : []))
        .map { Array($0.utf8) }
    case .requestHeader, .requestUnset:
      matchesLoosely ? nil : ownHeaders.map(\.watch.name) + requestHeaders.map(\.name)
    case .responseHeader, .responseUnset: matchesLoosely ? nil : responseHeaders.map(\.name)
    case .logKey: keys.map(\.key)
    default: nil
    }
  }
}
