import LogReading
import TestSupport
import Testing

/// Which directory a `-n` argument means.
struct InstanceNameTests {
  /// Makes state directories in a temporary place, with these instances (`0/name` is `name` in the first).
  private static func states(
    _ instances: [String]
  ) throws -> (home: TemporaryDirectory, states: [String]) {
    let home = try TemporaryDirectory()
    for state in ["0", "1"] { try makeDirectory(home.file(state)) }
    for instance in instances {
      try makeDirectory(home.file(instance))
      try makeDirectory(home.file(instance + "/_.vsm_mgt"))
    }
    return (home, [home.file("0"), home.file("1")])
  }

  private static func makeDirectory(_ path: String) throws {
    let result = try ProcessRunner.run("mkdir", "-p", path)
    try #require(result.status == 0, "\(result.errorText)")
  }

  /// The argument, the environment, the existing instances, and the expected directory.
  static let cases: [(argument: String?, environment: [String: String], instances: [String], path: String)] =
    [
      ("/any/where", [:], [], "/any/where"),
      ("/any/where", ["VARNISH_DEFAULT_N": "other"], ["0/other"], "/any/where"),
      ("name", [:], [], "0/name"),
      ("name", [:], ["1/name"], "1/name"),
      ("name", [:], ["0/name", "1/name"], "0/name"),
      (nil, ["VARNISH_DEFAULT_N": "name"], ["0/varnishd", "1/name"], "1/name"),
      (nil, ["VARNISH_DEFAULT_N": "/abs"], ["0/varnishd"], "/abs"),
      (nil, ["VINYL_DEFAULT_N": "name"], ["0/varnishd", "0/name"], "0/name"),
      (nil, ["VARNISH_DEFAULT_N": "a", "VINYL_DEFAULT_N": "b"], ["0/a", "0/b"], "0/a"),
      (nil, [:], ["0/varnishd", "0/other"], "0/varnishd"),
      (nil, [:], ["0/other", "1/varnishd"], "1/varnishd"),
      (nil, [:], ["1/only"], "1/only"),
      (nil, [:], [], "0/varnishd"),
    ]

  @Test(arguments: cases.indices) func `the argument, the environment, what there is`(index: Int) throws {
    let sample = Self.cases[index]
    let (home, states) = try Self.states(sample.instances)
    let name = try InstanceName(
      sample.argument, environment: { sample.environment[$0] }, stateDirectories: states)
    let expected = sample.path.hasPrefix("/") ? sample.path : home.file(sample.path)
    #expect(name.path == expected)
  }

  @Test func `several instances and no name: all are listed`() throws {
    let (home, states) = try Self.states(["0/a", "1/b"])
    let error = #expect(throws: InstanceNameError.self) {
      try InstanceName(nil, environment: { _ in nil }, stateDirectories: states)
    }
    #expect(error?.candidates == [home.file("0/a"), home.file("1/b")])
    #expect(
      error?.description
        == "More than one instance exists, choose one with -n: \(home.file("0/a")), \(home.file("1/b"))")
  }

  @Test func `a directory that no server made is no instance`() throws {
    let (home, states) = try Self.states(["0/real"])
    try Self.makeDirectory(home.file("0/lost+found"))
    let name = try InstanceName(nil, environment: { _ in nil }, stateDirectories: states)
    #expect(name.path == home.file("0/real"))
  }
}
