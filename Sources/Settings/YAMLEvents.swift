import CYAML

/// The events into which libyaml's parser splits a text, one after the other.
///
/// All that is unsafe about libyaml is in this file. Both pointers are made in `init`, never leave this value, and are
/// freed in `deinit`; as it can't be copied, nothing uses them after that. The parser keeps a pointer to the text, so
/// the text lies in memory of its own, which neither moves nor changes while the parser is there. Events own what they
/// point to: it is copied before the event is deleted.
@safe
struct YAMLEvents: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// Begins to read a text in UTF-8.
  ///
  /// - Throws: `YAMLFault` if there is no memory for the parser.
  init(_ bytes: some Collection<UInt8>) throws(YAMLFault) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.deallocate()
      let start = YAMLMark(line: 0, column: 0)
      throw YAMLFault(problem: "out of memory", mark: start, contextMark: start)
    }
    unsafe self.parser = parser
    unsafe text = UnsafeMutableBufferPointer.allocate(capacity: bytes.count)
    _ = unsafe text.initialize(from: bytes)
    // With the encoding set, the parser doesn't look for UTF-16.
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event; `streamEnd` again after the last one.
  ///
  /// - Throws: `YAMLFault` if what comes next isn't YAML.
  mutating func next() throws(YAMLFault) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw fault }
    defer { unsafe yaml_event_delete(&event) }
    return unsafe YAMLEvent(event)
  }

  private var fault: YAMLFault {
    // The message is a constant of the library, or nil if the library has run out of memory.
    let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "out of memory"
    return unsafe YAMLFault(
      problem: problem, mark: YAMLMark(parser.pointee.problem_mark),
      contextMark: YAMLMark(parser.pointee.context_mark))
  }
}

extension YAMLEvent {
  /// Copies an event of the library.
  ///
  /// The event's type tells which member of its union may be read.
  fileprivate init(_ event: yaml_event_t) {
    mark = unsafe YAMLMark(event.start_mark)
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: kind = .streamStart
    case YAML_DOCUMENT_START_EVENT: kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
    case YAML_ALIAS_EVENT:
      kind = .alias(name: unsafe String(yaml: event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      // The text has its length, and may have NULs in it.
      let text = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      kind = unsafe .scalar(
        text: String(decoding: text, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      anchor = unsafe String(yaml: scalar.anchor)
      tag = unsafe String(yaml: scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      kind = .sequenceStart
      anchor = unsafe String(yaml: event.data.sequence_start.anchor)
      tag = unsafe String(yaml: event.data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      kind = .mappingStart
      anchor = unsafe String(yaml: event.data.mapping_start.anchor)
      tag = unsafe String(yaml: event.data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT: kind = .mappingEnd
    // After the end the library gives an event without a type.
    default: kind = .streamEnd
    }
  }
}

extension YAMLMark {
  fileprivate init(_ mark: yaml_mark_t) {
    line = mark.line
    column = mark.column
  }
}

extension String {
  /// A copy of a text of the library's, which ends with a NUL.
  fileprivate init?(yaml start: UnsafeMutablePointer<yaml_char_t>?) {
    guard let start = unsafe start else { return nil }
    self = unsafe String(cString: start)
  }
}
