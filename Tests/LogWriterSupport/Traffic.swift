public import LogWriting
public import VarnishLog

/// Transactions whose content follows from their numbers, so that a reader can check each byte.
public enum Traffic {
  /// How many records a transaction has.
  public static let recordCount = 8

  /// The text of a transaction's `ReqURL`: its number, and up to 200 bytes that follow from it.
  public static func url(_ number: UInt64) -> String {
    var text = "/\(number)/"
    let length = Int(mix(number) % 200)
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    for index in 0..<length {
      text.append(letters[Int(mix(number &+ UInt64(index / 16)) >> UInt64(index % 16 * 4) & 31)])
    }
    return text
  }

  /// The number in a `ReqURL`, if the whole text is the one for that number.
  public static func number(inURL text: some StringProtocol) -> UInt64? {
    guard let digits = text.split(separator: "/", maxSplits: 1).first, let number = UInt64(digits),
      text == url(number)
    else { return nil }
    return number
  }

  /// A transaction's records: tag and text.
  public static func records(_ number: UInt64) -> [(Tag, String)] {
    [
      (.begin, "req 999999999 rxreq"),
      (.timestamp, "Start: 1700000000.123456 0.000000 0.000000"),
      (.reqStart, "192.0.2.\(number % 256) 51234 a0"),
      (.reqMethod, "GET"),
      (.reqURL, url(number)),
      (.reqHeader, "Host: \(number).example.com"),
      (.respStatus, "200"),
      (.end, ""),
    ]
  }

  /// Adds a transaction's records, and commits it.
  public static func write(_ number: UInt64, to transaction: inout LogTransaction, of writer: LogWriter) {
    transaction.begin(writer.nextVXID(), .client)
    for (tag, text) in records(number) { transaction.add(tag, text) }
    transaction.commit()
  }

  /// A hash of a number.
  public static func mix(_ number: UInt64) -> UInt64 {
    var mixed = number &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    return mixed ^ (mixed >> 31)
  }
}
