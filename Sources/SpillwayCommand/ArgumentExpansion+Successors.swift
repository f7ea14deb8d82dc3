/// Options of varnishncsa and varnishlog of 2.1 to 5.1 that later versions don't have.
extension ArgumentExpansion {
  /// A pair of an option's letter and what to use today instead of that option.
  typealias Successor = (letter: Character, use: String)

  /// The replacements for options of varnishncsa.
  static let successorsInNCSA: [Successor] =
    successors + [
      ("i", "-q 'TAG', or spillway log -i TAG to see the records"),
      ("I", "-q 'TAG ~ \"REGEX\"', or spillway log -I TAG:REGEX to see the records"),
      ("x", "-q 'not TAG', or spillway log -x TAG to leave records out"),
      ("X", "-q 'not TAG ~ \"REGEX\"', or spillway log -X TAG:REGEX to leave records out"),
    ]

  /// The replacements for options of varnishlog.
  static let successorsInLog = successors

  private static let successors: [Successor] = [
    ("m", "-q 'TAG ~ \"REGEX\"'"),
    ("O", "-g raw of spillway log, which shows records one by one"),
    ("o", "-g request of spillway log, with -q 'TAG ~ \"REGEX\"'"),
    ("B", "-w FILE of spillway log, which is binary"),
    ("s", "tail -n +NUMBER behind it"),
  ]
}
