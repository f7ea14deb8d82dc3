import Platform
import Testing

struct EditDistanceTests {
  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("gzip", "gzip", 0), ("gzpi", "gzip", 2),
    ("kitten", "sitting", 3),
    ("rotate-evry", "rotate-every", 1), ("é", "e", 2),
  ])
  func `is what has to be changed`(_ one: String, _ other: String, _ distance: Int) {
    #expect(EditDistance.between(one, other) == distance)
    #expect(EditDistance.between(other, one) == distance)
    #expect(EditDistance.between(one, other, atMost: distance) == distance)
    #expect(distance == 0 || EditDistance.between(one, other, atMost: distance - 1) == .max)
  }

  @Test func `what is too long is no name`() {
    let long = String(repeating: "a", count: 65)
    #expect(EditDistance.between(long, long) == .max)
  }

  @Test func `the nearest names are offered, and none that is far`() {
    let known = ["keep", "keep-for", "keep-bytes", "gzip"]
    #expect(EditDistance.names(near: "kep", among: known) == ["keep"])
    #expect(EditDistance.names(near: "keep-fro", among: known) == ["keep-for"])
    #expect(EditDistance.names(near: "cap", among: ["cup", "cat", "dog"]) == ["cup", "cat"])
    #expect(EditDistance.names(near: "symlink", among: known) == [])
  }
}
