/// The counts of one side's transactions, by their labels.
struct RequestTable: Sendable {
  /// The counts of a set of labels, in this order in memory; the buckets of the two histograms follow them.
  private enum Number: Int, CaseIterable {
    case transactions, receivedBytes, sentBytes, durationSum, firstByteSum
  }

  let side: RequestSide
  let labels: [RequestLabel]
  private let bounds: BucketBounds
  /// The values that each label has had.
  private var values: [LabelValues]
  /// The values of each set, by the set's number; a key has twelve bits for each label.
  private(set) var keys: [UInt64] = []
  private var setOfKey: [UInt64: Int] = [:]
  private var numbers: [UInt64] = []
  /// The number of transactions with a value that counts as `other`, by label; and of those whose set was
  /// beyond `setsMax`.
  private(set) var foldedValues: [UInt64]
  private(set) var foldedSets: UInt64 = 0

  private static let bitsPerLabel: UInt64 = 12

  init(_ side: RequestSide, _ settings: RequestSettings) {
    self.side = side
    bounds = settings.buckets
    labels = side.labels(of: settings.labels)
    values = labels.map { _ in LabelValues(limit: settings.valuesMax) }
    foldedValues = labels.map { _ in 0 }
  }

  private var stride: Int { Number.allCases.count + 2 * bounds.bucketCount }

  // MARK: Counting

  /// Counts a transaction.
  ///
  /// - Parameter hasRoom: whether there may be one more set of labels.
  mutating func count(_ line: RequestLine, hasRoom: Bool) {
    var key: UInt64 = 0
    for (index, label) in labels.enumerated() {
      if let number = number(of: label, at: index, in: line) {
        key = key << Self.bitsPerLabel | UInt64(number)
      } else {
        key <<= Self.bitsPerLabel
        foldedValues[index] += 1
      }
    }
    let place = set(of: key, hasRoom: hasRoom) * stride
    numbers[place + Number.transactions.rawValue] &+= 1
    numbers[place + Number.receivedBytes.rawValue] &+= line.receivedBytes
    numbers[place + Number.sentBytes.rawValue] &+= line.sentBytes
    let histograms = place + Number.allCases.count
    if let time = line.duration {
      numbers[place + Number.durationSum.rawValue] &+= time
      numbers[histograms + bounds.bucket(of: time)] &+= 1
    }
    if let time = line.firstByte {
      numbers[place + Number.firstByteSum.rawValue] &+= time
      numbers[histograms + bounds.bucketCount + bounds.bucket(of: time)] &+= 1
    }
  }

  private mutating func set(of key: UInt64, hasRoom: Bool) -> Int {
    if let set = setOfKey[key] { return set }
    guard hasRoom || key == 0 else {
      foldedSets += 1
      // The set in which all labels are `other` may always be added, even if the limit is reached.
      return set(of: 0, hasRoom: true)
    }
    setOfKey[key] = keys.count
    keys.append(key)
    numbers += [UInt64](repeating: 0, count: stride)
    return keys.count - 1
  }

  /// The number of a label's value in a line; nil if it counts as `other`.
  private mutating func number(of label: RequestLabel, at index: Int, in line: RequestLine) -> Int? {
    let text = unsafe line.text(of: label)
    switch label {
    case .status: return unsafe Self.withClass(of: text) { unsafe values[index].number(of: $0) }
    case .host, .backend:
      guard text.count <= LabelValues.byteCountMax else { return nil }
      return unsafe Self.withSmallLetters(text) { unsafe values[index].number(of: $0) }
    case .method, .handling: return unsafe values[index].number(of: text)
    }
  }

  private static func withClass(
    of status: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Int?
  ) -> Int? {
    guard status.count == 3, let first = unsafe status.first,
      (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(first)
    else { return 0 }
    return unsafe withUnsafeBytes(of: (first, UInt8(ascii: "x"), UInt8(ascii: "x"))) { unsafe body($0) }
  }

  private static func withSmallLetters(
    _ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Int?
  ) -> Int? {
    unsafe withUnsafeTemporaryAllocation(byteCount: text.count, alignment: 1) { small in
      for index in 0..<text.count {
        let byte = unsafe text[index]
        let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        unsafe small[index] = isCapital ? byte | 0x20 : byte
      }
      return unsafe body(UnsafeRawBufferPointer(small))
    }
  }

  // MARK: Reading

  /// The labels of a set.
  func labels(ofSet set: Int) -> [MetricLabel] {
    labels.enumerated().map { index, label in
      let shift = UInt64(labels.count - 1 - index) * Self.bitsPerLabel
      let number = Int(keys[set] >> shift & (1 << Self.bitsPerLabel - 1))
      return MetricLabel(label.rawValue, values[index].values[number])
    }
  }

  func transactions(inSet set: Int) -> UInt64 { number(.transactions, set) }
  func receivedBytes(inSet set: Int) -> UInt64 { number(.receivedBytes, set) }
  func sentBytes(inSet set: Int) -> UInt64 { number(.sentBytes, set) }
  func durations(inSet set: Int) -> Histogram { histogram(0, .durationSum, set) }
  func firstBytes(inSet set: Int) -> Histogram { histogram(1, .firstByteSum, set) }

  private func number(_ number: Number, _ set: Int) -> UInt64 { numbers[set * stride + number.rawValue] }

  private func histogram(_ which: Int, _ sum: Number, _ set: Int) -> Histogram {
    let start = set * stride + Number.allCases.count + which * bounds.bucketCount
    return Histogram(
      bounds: bounds, counts: numbers[start..<start + bounds.bucketCount], microseconds: number(sum, set))
  }
}
