/// What the parts of a checkpoint's file say, as far as they can be read.
struct CheckpointParts {
  /// The key of the file; nil if its head can't be read.
  private(set) var key: UInt64?
  /// The checkpoint in the file; nil if the file is new, or its head can't be read.
  private(set) var checkpoint: Checkpoint?
  private(set) var damage: [CheckpointDamage] = []
  /// The outputs' names, and the indices of their parts.
  private(set) var names: [(index: Int, name: String)] = []

  /// Whether all of it could be read.
  var isWhole: Bool { checkpoint != nil && damage.isEmpty }

  init(_ memory: CheckpointMemory) {
    let head = memory.record(
      at: 0, copyByteCount: CheckpointLayout.headCopyBytes, key: CheckpointLayout.headKey
    ).load()
    guard let (key, boot) = Self.head(head.words) else {
      if head.words != nil || head.isDamaged { damage.append(.unreadable) }
      return
    }
    self.key = key
    if head.isDamaged { damage.append(.older("the head")) }
    var found = Checkpoint(boot: boot.isEmpty ? nil : boot)
    let reading = memory.record(
      at: CheckpointLayout.readingOffset, copyByteCount: CheckpointLayout.readingCopyBytes, key: key
    ).load()
    found.reading =
      decode(reading, CheckpointDamage.readingPart) { ReadingStanding(from: &$0) } ?? ReadingStanding()
    for index in 0..<CheckpointLayout.outputsMax {
      let offset = CheckpointLayout.outputsOffset + index * CheckpointLayout.outputBytes
      let copy = CheckpointLayout.outputCopyBytes
      let part = "the part of output \(index + 1)"
      let content = memory.record(at: offset, copyByteCount: copy, key: key).load()
      let live = decode(content, part, Self.output)
      let synced = decode(
        memory.record(at: offset + 2 * copy, copyByteCount: copy, key: key).load(), part + " on disk",
        Self.output)
      guard let live else { continue }
      names.append((index, live.name))
      found.outputs.append(
        Checkpoint.Output(
          name: live.name, standing: live.standing,
          synced: synced?.name == live.name ? synced?.standing : nil, isFormer: content.isDamaged))
    }
    checkpoint = found
  }

  /// Decodes a part, and notes any damage to it.
  private mutating func decode<Value>(
    _ content: TwinRecord.Content, _ part: String, _ value: (inout WordReader) -> Value?
  ) -> Value? {
    guard let words = content.words else {
      if content.isDamaged { damage.append(.lost(part)) }
      return nil
    }
    var reader = WordReader(words)
    guard let value = value(&reader), reader.isAtEnd else {
      damage.append(.lost(part))
      return nil
    }
    if content.isDamaged { damage.append(.older(part)) }
    return value
  }

  private static func head(_ words: [UInt64]?) -> (key: UInt64, boot: String)? {
    guard let words, words.starts(with: CheckpointLayout.magic) else { return nil }
    var reader = WordReader(Array(words.dropFirst(CheckpointLayout.magic.count)))
    guard let key = reader.number(), let boot = reader.text(), reader.isAtEnd else { return nil }
    return (key, boot)
  }

  private static func output(_ words: inout WordReader) -> (name: String, standing: OutputStanding)? {
    guard let name = words.text(), let standing = OutputStanding(from: &words) else { return nil }
    return (name, standing)
  }
}
