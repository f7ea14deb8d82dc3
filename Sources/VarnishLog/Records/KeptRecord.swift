/// Records of later releases in a log of 2.0 to 3.0, which has nothing that says the same: they are kept in `Debug`
/// records, under their names.
///
/// The tools of those releases show them as what they are, remarks; Spillway takes them out again.
package enum KeptRecord {
  /// What lines depend on, and has no other place.
  ///
  /// `Begin` says that nothing is to be made up for its transaction.
  package static let tags: Set<Tag> = [
    .begin, .timestamp, .reqAcct, .pipeAcct, .bereqAcct, .hitMiss, .backendStart, .reqUnset, .respUnset,
    .bereqUnset, .berespUnset,
  ]

  /// What a request and a fetch of those releases have once; further ones are kept.
  package static let repeatable: Set<Tag> = [
    .reqMethod, .reqURL, .reqProtocol, .respStatus, .bereqMethod,
  ]

  /// What lines depend on, and 2.0 has no tag for.
  package static let missing: Set<Tag> = [.vclLog]

  private static let all = tags.union(repeatable).union(missing)

  private static let prefix: StaticString = "Spillway:"

  /// What stands in the `Debug` record.
  package static func text(_ name: String, _ payload: String) -> String { "\(prefix)\(name) \(payload)" }

  /// The record that is in a `Debug` record; nil if there is none.
  package static func record(in payload: LogBytes) -> (tag: Tag, payload: LogBytes)? {
    let prefixCount = prefix.utf8CodeUnitCount
    guard payload.prefix(prefixCount).equals(prefix) else { return nil }
    let rest = payload.dropFirst(prefixCount)
    guard let blank = rest.firstIndex(of: 0x20) else { return nil }
    let name = rest.prefix(blank)
    for tag in all where unsafe name.buffer.elementsEqual(tag.name.utf8) {
      return (tag, rest.dropFirst(blank + 1))
    }
    return nil
  }
}
