import Platform
@testable import Spool
import Testing

@Suite struct TroubleTests {
  private func moment(_ seconds: Double) -> Moment {
    Moment(wallSeconds: 0, steadyNanoseconds: Int64(seconds * 1e9))
  }

  @Test func `the same is said once, and something else again`() {
    var trouble = Trouble<String>()
    let isSaid = ["disk full", "disk full", "no such directory", "disk full"].map { trouble.begin($0) }
    #expect(isSaid == [true, false, true, true])
  }

  @Test func `its end is said once, and it begins anew`() {
    var trouble = Trouble<Int>()
    let nothing = trouble.end()
    #expect(nothing == nil)
    _ = trouble.begin(1, at: moment(10))
    _ = trouble.begin(2, at: moment(12))
    #expect(trouble.isThere)
    let first = trouble.end(at: moment(15.9))
    #expect(first == 5, "from the first thing that was wrong")
    #expect(!trouble.isThere)
    let isOver = trouble.end() == nil
    #expect(isOver)
    let isNew = trouble.begin(2, at: moment(20))
    #expect(isNew)
    let second = trouble.end(at: moment(20.1))
    #expect(second == 1)
  }
}
