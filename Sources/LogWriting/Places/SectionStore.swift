/// The label of a section: its class, and what tells it from others of the class.
struct SectionLabel: Equatable, Sendable {
  let kind: String
  /// The type, which is stored by itself only in a single file; in an index it is the beginning of the name.
  let type: String
  let name: String

  init(_ kind: String, type: String = "", name: String) {
    self.kind = kind
    self.type = type
    self.name = name
  }

  /// Refuses a label that no section can have.
  func validate() throws(LogWriterError) {
    for (option, text, most) in [("class", kind, 7), ("type", type, 7), ("name", name, 127)] {
      if text.isEmpty && option != "class" { continue }
      if let problem = SectionName.problem(with: text, byteCountMax: most) {
        throw .invalid(option: option, problem: problem)
      }
    }
  }

  /// The name in an index.
  var ident: String { type.isEmpty ? name : name.isEmpty ? type : "\(type).\(name)" }
}

/// The memory of a section, which stays mapped as long as a copy of this value exists.
@safe struct SectionMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  /// Keeps the mapping.
  let owner: any AnyObject & Sendable
  /// The key by which the store knows the section.
  let key: String
}

/// Where a log's sections are: made and freed while readers look.
protocol SectionStore: AnyObject, Sendable {
  /// Makes a section of zeros, lets `prepare` fill it, and then lets readers find it.
  func allocate(
    _ label: SectionLabel, byteCount: Int, prepare: (UnsafeMutableRawPointer) -> Void
  ) throws(LogWriterError) -> SectionMemory

  /// Takes a section away from readers; a reader that still looks at it has time to find out.
  func free(_ memory: SectionMemory) throws(LogWriterError)

  /// Says that the log has ended.
  func close()
}
