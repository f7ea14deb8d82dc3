@testable import Shipping
import Testing

@Suite struct OptionValueTests {
  @Test(arguments: [
    ("0", 0), ("4096", 4096), ("1K", 1024), ("1k", 1024), ("512M", 512 << 20), ("2MiB", 2 << 20),
    ("3g", 3 << 30), ("1T", 1 << 40), ("1tib", 1 << 40), ("100b", 100),
  ])
  func aSizeMeansItsBytes(text: String, bytes: Int) throws {
    #expect(try ByteCount(text).bytes == bytes)
  }

  @Test(arguments: [
    "", "M", "1X", "-1", "1 M", "1.5G", "1MB", "0x10", "٣", "9223372036854775808", "9999999999T",
  ])
  func aSizeThatIsNoneSaysSo(text: String) {
    let error = #expect(throws: OptionValueError.self) { try ByteCount(text) }
    #expect(error?.description.hasPrefix("\"\(text)\" is ") == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test(arguments: [
    ("5", 5_000_000_000), ("0", 0), ("250ms", 250_000_000), ("1s", 1_000_000_000),
    ("15m", 900_000_000_000), ("1H", 3_600_000_000_000), ("1d", 86_400_000_000_000),
    ("2w", 1_209_600_000_000_000), ("1.5h", 5_400_000_000_000), ("0.25", 250_000_000),
    (".5s", 500_000_000), ("0.000000001s", 1),
  ])
  func aTimeMeansItsNanoseconds(text: String, nanoseconds: Int64) throws {
    #expect(try TimeSpan(text).nanoseconds == nanoseconds)
  }

  @Test(arguments: ["", ".", "s", "1x", "-5", "1 s", "1h30m", "99999999999w", "1e3"])
  func aTimeThatIsNoneSaysSo(text: String) {
    let error = #expect(throws: OptionValueError.self) { try TimeSpan(text) }
    #expect(error?.description.hasPrefix("\"\(text)\" is ") == true)
  }

  @Test(arguments: [
    ("never", SyncPolicy.never), ("each-batch", .eachBatch), ("1s", .interval(nanoseconds: 1_000_000_000)),
    ("1ms", .interval(nanoseconds: 1_000_000)), ("2", .interval(nanoseconds: 2_000_000_000)),
  ])
  func `when files are put on the disk`(text: String, policy: SyncPolicy) throws {
    #expect(try SyncPolicy(text) == policy)
  }

  @Test(arguments: ["", "0", "0.9ms", "Never", "each batch", "batch", "-1s", "1s ", "99999999999w"])
  func `when files are put on the disk is none of these`(text: String) {
    let error = #expect(throws: OptionValueError.self) { try SyncPolicy(text) }
    #expect(error?.description.hasPrefix("\"\(text)\" is ") == true)
  }

  @Test func wholeSecondsAreCutOff() throws {
    #expect(try TimeSpan("1.9s").wholeSeconds == 1)
    #expect(try TimeSpan("1.5s").seconds == 1.5)
  }
}
