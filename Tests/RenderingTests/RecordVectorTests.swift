import TestSupport
import Testing

@Suite(.needs(.subject))
struct RecordVectorTests {
  static let vectors = RecordVectors.all + SideVectors.all

  @Test(arguments: vectors) func `prints what 7.1 prints`(_ vector: LineVector) throws {
    let output = try vector.output(of: Subject.found(), compat: "7.1")
    #expect(output == vector.expected)
  }

  @Test(arguments: vectors) func `prints what 8.0 prints`(_ vector: LineVector) throws {
    let output = try vector.output(of: Subject.found(), layout: .threeWord, compat: "8.0")
    #expect(output == vector.expectedSince77 ?? vector.expected)
  }

  @Test(.needs(.reference), arguments: vectors)
  func `the table is right about 7.1`(_ vector: LineVector) throws {
    let reference = try #require(Subject.reference)
    #expect(try vector.output(of: reference) == vector.expected)
  }

  @Test(arguments: RecordVectors.matchRules)
  func `first and last can be asked for from 8.0 on`(_ vector: LineVector) throws {
    for version in ["8.0", "9.0"] {
      let output = try vector.output(of: Subject.found(), layout: .threeWord, compat: version)
      #expect(output == vector.expected, "\(version)")
    }
  }
}
