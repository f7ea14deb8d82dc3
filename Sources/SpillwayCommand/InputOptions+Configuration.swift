import Pipeline
import VarnishLog

extension InputOptions {
  /// Sets an input configuration as the options say.
  func set(
    _ configuration: inout InputConfiguration, _ values: OptionValues, isOldName: Bool,
    daemonizes: Bool = false
  ) throws {
    if [n, memoryFile, r.last].filter({ $0 != nil }).count > 1 {
      let isOld = configuration.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
      throw UsageError(
        "Only one of -n\(isOld || memoryFile != nil ? ", -N" : "") and -r options may be used")
    }
    if let last = r.last {
      // Of several -r, the predecessors use the last.
      var capture = Capture(isOldName ? [last] : r)
      capture.salvages = salvage
      capture.merges = merge
      if capture.inputs.contains("-"), daemonizes { throw UsageError("Daemon cannot read from stdin") }
      if capture.inputs.count(where: { $0 == "-" }) > 1 {
        throw UsageError("-r: standard input can be read once")
      }
      configuration.source = .captured(capture)
    } else {
      if merge { throw UsageError("--merge goes with -r: only what was captured can be put in order") }
      if salvage { throw UsageError("--salvage goes with -r: a live log has nothing to be salvaged") }
      if let file = memoryFile { configuration.source = .memoryFile(values.absolute(file)) }
      configuration.attachSeconds = try values.attachSeconds(t)
    }
    configuration.existingOnly = d
  }
}
