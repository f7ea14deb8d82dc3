/// Records of later releases that have no counterpart in a log of 2.0 to 3.0: they are kept there in `Debug`
/// records, under their names.
///
/// The tools of those releases show these as any other `Debug` record; Spillway takes the records out again.
package enum KeptRecord {
  /// The tags of records that rendered lines depend on, and that have no other place.
  ///
  /// `Begin` says that nothing is to be made up for its transaction.
  package static let tags: Set<Tag> = [
    .begin, .timestamp, .reqAcct, .pipeAcct, .bereqAcct, .hitMiss, .backendStart, .reqUnset, .respUnset,
    .bereqUnset, .berespUnset,
  ]

  /// The tags of records that a request or fetch of those releases has once; further ones are kept.
  package static let repeatable: Set<Tag> = [
    .reqMethod, .reqURL, .reqProtocol, .respStatus, .bereqMethod,
  ]

  /// The tags of records that rendered lines depend on, and that 2.0 has no tag for.
  package static let missing: Set<Tag> = [.vclLog]

  private static let all = tags.union(repeatable).union(missing)

  private static let prefix: StaticString = "Spillway:"

  /// The text of the `Debug` record.
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
