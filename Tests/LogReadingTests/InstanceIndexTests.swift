import Testing
@testable import VarnishLog

/// The lists of segments in the three styles that servers publish.
struct InstanceIndexTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var pid: Int32?
    var log: InstanceIndex.Segment?

    init(
      _ name: String, _ text: String, pid: Int32?, log: (String, Int, Int)? = nil
    ) {
      testDescription = name
      self.text = text
      self.pid = pid
      self.log = log.map { InstanceIndex.Segment(fileName: $0, offset: $1, byteCount: $2) }
    }
  }

  static let cases = [
    Case(
      "style A: no offset",
      """
      # 2353 1795258586
      _.Stat.11447d5d4bd25ab5 29469 Stat MAIN
      _.Log.76c2922a2e746ba1 1048576 Log Log
      _.Stat.4f11bc480c6fee07 649 Stat LCK.backend

      """, pid: 2353, log: ("_.Log.76c2922a2e746ba1", 0, 1_048_576)),
    Case(
      "style B: an offset",
      """
      # 2353 1795258586
      _.Stat.11447d5d4bd25ab5 0 29469 Stat MAIN
      _.Log.76c2922a2e746ba1 64 1048576 Log Log

      """, pid: 2353, log: ("_.Log.76c2922a2e746ba1", 64, 1_048_576)),
    Case(
      "style C: a sign",
      """
      # 4899 1795258723
      + _.StatDoc.d91e3dea2bfb9cb8 0 34840 StatDoc 557397165b20
      + _.Params.b51aa2d39a0746b8 0 672 Params\(" ")
      + _.VSC_cluster.60c390e7665c38cf 0 4096 \(" ")
      + _.VSC_cluster.60c390e7665c38cf 16 184 Stat VBE.boot.default
      + _.Log.5b79e591d00fb7a9 0 1048576 Log Log

      """, pid: 4899, log: ("_.Log.5b79e591d00fb7a9", 0, 1_048_576)),
    Case("nothing yet", "", pid: nil),
    Case("half a header", "# 4899 17952", pid: nil),
    Case("a header alone", "# 4899 1795258723\n", pid: 4899),
    Case(
      "half a line is not read before it is whole",
      "# 4899 1795258723\n+ _.Log.5b79e591d00fb7a9 0 1048", pid: 4899),
    Case(
      "a log that was taken back",
      "# 1 2\n+ _.Log.a 0 100 Log Log\n+ _.Stat.b 0 8 Stat X\n- _.Log.a 0 100 Log Log\n", pid: 1),
    Case(
      "taken back and replaced",
      "# 1 2\n+ _.Log.a 0 100 Log Log\n- _.Log.a 0 100 Log Log\n+ _.Log.b 0 200 Log Log\n",
      pid: 1, log: ("_.Log.b", 0, 200)),
    Case(
      "something else taken back",
      "# 1 2\n+ _.Log.a 0 100 Log Log\n- _.Log.a 0 200 Log Log\n- _.Stat.b 0 8 Stat X\n",
      pid: 1, log: ("_.Log.a", 0, 100)),
    Case(
      "the first log counts", "# 1 2\n+ _.Log.a 0 100 Log Log\n+ _.Log.b 0 200 Log Log\n", pid: 1,
      log: ("_.Log.a", 0, 100)),
    Case(
      "a name that leads out of the directory", "# 1 2\n+ ../_.Log.a 0 100 Log Log\n", pid: 1),
    Case("a negative size", "# 1 2\n+ _.Log.a 0 -100 Log Log\n", pid: 1),
    Case("a negative offset", "# 1 2\n+ _.Log.a -8 100 Log Log\n", pid: 1),
    Case("a size that is no number", "# 1 2\n+ _.Log.a 0 1e3 Log Log\n", pid: 1),
    Case(
      "a size beyond all numbers", "# 1 2\n+ _.Log.a 0 99999999999999999999999 Log Log\n", pid: 1),
    Case("a header without numbers", "# x y\n+ _.Log.a 0 100 Log Log\n", pid: nil, log: ("_.Log.a", 0, 100)),
    Case(
      "junk and quotation marks",
      "# 1 2\n\n\"x y\" 0 1\n\"\n+\n-\n+ \\\n? _.Log.z 0 9 Log Log\n+ _.Log.a 0 100 Log Log\n",
      pid: 1, log: ("_.Log.a", 0, 100)),
  ]

  @Test(arguments: cases) func `is read as far as it makes sense`(_ sample: Case) {
    let index = InstanceIndex(Array(sample.text.utf8))
    #expect(index.writer?.pid == sample.pid)
    #expect(index.log == sample.log)
  }

  /// A reader may see half of a line that is being appended between two reads of the index.
  @Test(arguments: cases) func `every beginning of it is harmless`(_ sample: Case) {
    let bytes = Array(sample.text.utf8)
    for count in 0...bytes.count {
      let whole = bytes[..<count].lastIndex(of: 0x0A).map { Array(bytes[...$0]) } ?? []
      #expect(InstanceIndex(Array(bytes[..<count])) == InstanceIndex(whole))
    }
  }
}
