/// Reads settings from a file in YAML.
///
/// Of YAML, it takes mappings, lists and texts, in every notation. A text keeps the characters with which it is
/// written: the reader of a setting decides whether `no` is a switch, a name or a country. Features that make
/// a file mean something other than its visible text are refused: anchors and aliases, tags, merge keys,
/// directives, a second document, a repeated key.
///
/// All such mistakes are found at once. Only text that isn't YAML at all ends the reading, as its
/// continuation is unknown.
public enum YAMLReader {
  /// How long a file may be, in bytes.
  public static let byteCountMax = 1 << 20
  /// How deeply mappings and lists may be nested.
  public static let depthMax = 32

  /// Reads a file's bytes.
  ///
  /// Without any settings, or if there are only comments, the node is a scalar without a value.
  ///
  /// - Parameter path: the file's path, for messages.
  public static func read(_ bytes: [UInt8], path: String) -> ParsedSettings {
    let text = SourceText(bytes, source: .file(path))
    guard text.isReadable else {
      return ParsedSettings(node: nil, mistakes: text.mistakes.inOrder())
    }
    do throws(YAMLFault) {
      var composer = YAMLComposer(text, try YAMLEvents(text.bytes))
      let node = composer.compose()
      return ParsedSettings(node: node, mistakes: composer.mistakes.inOrder())
    } catch {
      return ParsedSettings(node: nil, mistakes: (text.mistakes + [error.mistake(in: text)]).inOrder())
    }
  }
}

/// Builds nodes from the parser's events.
private struct YAMLComposer: ~Copyable {
  /// The error that ends the reading; its cause is among the mistakes.
  private struct End: Error {}

  private let text: SourceText
  private var events: YAMLEvents
  private(set) var mistakes: [SettingsMistake]

  init(_ text: SourceText, _ events: consuming YAMLEvents) {
    self.text = text
    self.events = events
    mistakes = text.mistakes
  }

  /// Reads the whole text; nil if it can't be read to its end.
  mutating func compose() -> SettingsNode? {
    do throws(End) {
      var root = SettingsNode.scalar(SettingsScalar(nil, at: text.place(line: 0, column: 0)))
      var hasDocument = false
      while true {
        let event = try next()
        switch event.kind {
        case .streamEnd: return root
        case .documentStart where hasDocument:
          // A second document is never intended, so its contents aren't read.
          throw end(event, found: "a second document", expected: "only one in a file")
        case .documentStart:
          hasDocument = true
          let first = try next()
          if let node = try node(first, depth: 1) { root = node }
        default: continue
        }
      }
    } catch {
      return nil
    }
  }

  private mutating func next() throws(End) -> YAMLEvent {
    do throws(YAMLFault) {
      return try events.next()
    } catch {
      mistakes.append(error.mistake(in: text))
      throw End()
    }
  }

  private func place(_ event: YAMLEvent) -> SettingsPlace {
    text.place(line: event.mark.line, column: event.mark.column)
  }

  private mutating func note(_ event: YAMLEvent, found: String, expected: String) {
    mistakes.append(SettingsMistake(place: place(event), found: found, expected: expected))
  }

  private mutating func end(_ event: YAMLEvent, found: String, expected: String) -> End {
    note(event, found: found, expected: expected)
    return End()
  }

  // MARK: Nodes

  /// The node that begins with an event; nil if it can't be used.
  private mutating func node(_ event: YAMLEvent, depth: Int) throws(End) -> SettingsNode? {
    noteProperties(event)
    switch event.kind {
    case .scalar(let text, let isPlain):
      if text.unicodeScalars.contains("\0") {
        note(event, found: "a text with a NUL byte", expected: "one without")
      }
      return .scalar(SettingsScalar(text.isEmpty && isPlain ? nil : text, at: place(event)))
    case .mappingStart:
      try checkDepth(event, depth)
      return .mapping(try mapping(event, depth: depth))
    case .sequenceStart:
      try checkDepth(event, depth)
      return .sequence(try sequence(event, depth: depth))
    case .alias(let name):
      note(event, found: "the alias \(Excerpt.quoted("*" + name))", expected: "the value itself")
      return nil
    case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
      // The parser's events come in pairs; a node never begins with one of these.
      throw end(event, found: "no value", expected: "one")
    }
  }

  /// Ends the reading below the largest depth, as the parser's time for each token grows with the depth.
  private mutating func checkDepth(_ event: YAMLEvent, _ depth: Int) throws(End) {
    guard depth > YAMLReader.depthMax else { return }
    throw end(
      event, found: "more than \(YAMLReader.depthMax) mappings and lists within each other", expected: "fewer"
    )
  }

  private mutating func mapping(_ start: YAMLEvent, depth: Int) throws(End) -> SettingsMapping {
    var mapping = SettingsMapping(at: place(start))
    while true {
      let event = try next()
      if event.kind == .mappingEnd { return mapping }
      let key = try key(event, depth: depth)
      let value = try node(try next(), depth: depth + 1)
      guard let key else { continue }
      if let mistake = mapping.repeated(key, at: place(event)) {
        mistakes.append(mistake)
      } else if let value {
        mapping.add(SettingsMapping.Entry(key: key, at: place(event), value: value))
      }
    }
  }

  private mutating func sequence(_ start: YAMLEvent, depth: Int) throws(End) -> SettingsSequence {
    var items: [SettingsNode] = []
    while true {
      let event = try next()
      if event.kind == .sequenceEnd { return SettingsSequence(items, at: place(start)) }
      if let item = try node(event, depth: depth + 1) { items.append(item) }
    }
  }

  /// The key that begins with an event; nil if it can't be used.
  private mutating func key(_ event: YAMLEvent, depth: Int) throws(End) -> String? {
    if case .scalar("<<", isPlain: true) = event.kind {
      noteProperties(event)
      note(event, found: "the merge key \"<<\"", expected: "the settings themselves")
      return nil
    }
    switch try node(event, depth: depth + 1) {
    case nil: return nil
    case .scalar(let scalar) where scalar.text.isEmpty: note(event, found: "no key", expected: "one")
    case .scalar(let scalar): return scalar.text
    case .some(let node): note(event, found: "\(node.shown) for a key", expected: "a text")
    }
    return nil
  }

  private mutating func noteProperties(_ event: YAMLEvent) {
    if let anchor = event.anchor {
      note(event, found: "the anchor \(Excerpt.quoted("&" + anchor))", expected: "the value alone")
    }
    if let tag = event.tag {
      let prefix = "tag:yaml.org,2002:"
      let written = tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
      note(event, found: "the tag \(Excerpt.quoted(written))", expected: "the value alone")
    }
  }
}
