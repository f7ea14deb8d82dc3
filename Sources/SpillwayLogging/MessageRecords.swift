import LogWriting
import Logging
import VarnishLog

/// The records of a message.
///
/// They are made before any lock is taken, because describing values calls other code, which may log messages
/// itself.
struct MessageRecords {
  private let tag: Tag
  private let text: String
  private var pairs: [(key: String, value: String)]

  init(_ event: LogEvent, label: String, metadata: Logger.Metadata) {
    tag =
      switch event.level {
      case .trace, .debug: .debug
      case .info, .notice, .warning: .notice
      case .error, .critical: .error
      }
    text = label.isEmpty ? event.message.description : "\(label): \(event.message)"
    pairs = [("level", event.level.rawValue), ("source", event.source)]
    add(metadata, prefix: "", depth: 0)
  }

  /// The depth below which values are described as a whole.
  private static let depthMax = 16

  private mutating func add(_ metadata: Logger.Metadata, prefix: String, depth: Int) {
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      add(prefix + key, value, depth: depth)
    }
  }

  private mutating func add(_ key: String, _ value: Logger.Metadata.Value, depth: Int) {
    switch value {
    case .dictionary(let entries) where depth < Self.depthMax && !entries.isEmpty:
      add(entries, prefix: key + ".", depth: depth + 1)
    case .array(let elements) where depth < Self.depthMax && !elements.isEmpty:
      for element in elements { add(key, element, depth: depth + 1) }
    default: pairs.append((key, value.description))
    }
  }

  /// Adds the records to a transaction.
  func add(to transaction: inout LogTransaction) {
    transaction.add(tag, safe: text)
    for (key, value) in pairs { transaction.add(.vclLog, name: key, safe: value) }
  }
}
