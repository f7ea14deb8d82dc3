import Glibc

/// Writes a binary log of 7.1 to standard output in which addresses have frequencies by Zipf's law.
///
/// The address of rank n occurs 1/n as often as the first. The most frequent addresses and their real counts
/// go to standard error.
///
///     zipflog REQUESTS ADDRESSES SEED | spillway top -r - -i ReqURL
struct ZipfLog {
  private var buffer: [UInt8] = []
  private var state: UInt64
  /// The cumulated share of all ranks up to each.
  private let cumulated: [Double]
  private var counts: [UInt32]

  private static let bufferByteCount = 1 << 20
  private static let clientMark: UInt32 = 1 << 30

  /// The numbers of tags in 4.1 to 7.2.
  private enum Tag: UInt32 {
    case reqMethod = 15, reqURL = 16, reqHeader = 20, respStatus = 26, call = 60, begin = 76, end = 77
    case timestamp = 80, reqAcct = 81
  }

  init(addresses: Int, seed: UInt64) {
    state = seed
    var sum = 0.0
    cumulated = (1...addresses).map { rank in
      sum += 1 / Double(rank)
      return sum
    }
    counts = [UInt32](repeating: 0, count: addresses)
  }

  /// Writes requests.
  mutating func write(_ requests: Int) {
    buffer.reserveCapacity(2 * Self.bufferByteCount)
    buffer += Array("VSL\0".utf8)
    for number in 0..<requests {
      let rank = nextRank()
      counts[rank] += 1
      let id = UInt32(truncatingIfNeeded: 2 + number % 500_000_000) | Self.clientMark
      let microseconds = 50 + Int(next() % 100) * (rank % 7 == 0 ? 1000 : 10)
      add(.begin, id, "req 1 rxreq")
      add(.timestamp, id, "Start: 1700000000.\(100_000 + number % 800_000) 0.000000 0.000000")
      add(.reqMethod, id, "GET")
      add(.reqURL, id, "/page/\(rank).html?version=\(rank % 17)")
      add(.reqHeader, id, "Host: www\(rank % 40).example.com")
      add(.call, id, rank % 7 == 0 ? "MISS" : "HIT")
      add(.respStatus, id, "200")
      let digits = String(microseconds)
      let time = "0." + String(repeating: "0", count: 6 - digits.count) + digits
      add(.timestamp, id, "Resp: 1700000001.000000 \(time) 0.000010")
      add(.reqAcct, id, "100 0 100 200 \(rank % 5000) \(200 + rank % 5000)")
      add(.end, id, "")
      if buffer.count >= Self.bufferByteCount { flush() }
    }
    flush()
  }

  /// Prints the most frequent addresses.
  func tell(_ limit: Int) {
    let ranks = counts.indices.sorted { counts[$0] > counts[$1] }.prefix(limit)
    for rank in ranks { complain("\(counts[rank]) /page/\(rank).html?version=\(rank % 17)") }
  }

  private mutating func add(_ tag: Tag, _ id: UInt32, _ text: String) {
    let length = UInt32(text.utf8.count + 1)
    for word in [tag.rawValue << 24 | length, id] {
      for shift in stride(from: 0, to: 32, by: 8) {
        buffer.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
      }
    }
    buffer += text.utf8
    buffer.append(0)
    while buffer.count % 4 != 0 { buffer.append(0) }
  }

  private mutating func flush() {
    var done = 0
    while done < buffer.count {
      let count = buffer[done...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 else { exit(1) }
      done += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private mutating func nextRank() -> Int {
    let wanted = Double(next() >> 11) / Double(1 << 53) * (cumulated.last ?? 1)
    var (low, high) = (0, cumulated.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulated[middle] <= wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Writes a line to standard error.
func complain(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = write(STDERR_FILENO, bytes, bytes.count)
}

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3, numbers[0] > 0, numbers[1] > 0 else {
  complain("Usage: zipflog REQUESTS ADDRESSES SEED")
  exit(2)
}
var log = ZipfLog(addresses: numbers[1], seed: UInt64(bitPattern: Int64(numbers[2])))
log.write(numbers[0])
log.tell(200)
