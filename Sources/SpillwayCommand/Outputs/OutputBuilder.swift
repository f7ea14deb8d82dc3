import LogQuery
import Pipeline
import Rendering
import Settings

/// Builds outputs from their settings and the defaults for all, and collects every mistake.
struct OutputBuilder {
  /// A mistake in a setting, or in an option that is the default for all outputs.
  enum Mistake {
    case setting(SettingsMistake)
    case option(UsageError)
  }

  /// An output, and where its own settings are.
  struct Built {
    let configuration: OutputConfiguration
    /// Whether the target was understood, so that it can be compared with the targets of other outputs.
    let isPlaced: Bool
    let places: [String: SettingsPlace]
    let start: SettingsPlace
  }

  /// The values of settings that an output doesn't set itself.
  private let defaults: OutputRequest
  /// Where the defaults are in the file; nil if they come from options.
  private let defaultPlaces: [String: SettingsPlace]?
  private let blank: OutputRequest
  private let keys: [OutputKey]
  private let context: OutputContext
  private let objections: Objections
  /// The defaults that apply to at least one output, including those that the output overrides.
  private var used: Set<String> = []
  private(set) var built: [Built] = []
  private(set) var mistakes: [Mistake] = []

  /// - Parameters:
  ///   - defaults: the values of settings that an output doesn't set itself.
  ///   - places: where the defaults are in the file; nil if they come from options.
  ///   - keys: the settings that an output may have.
  ///   - context: what else is needed to interpret settings; errors that it is given are collected here.
  init(
    _ defaults: OutputRequest, at places: [String: SettingsPlace]?, keys: [OutputKey],
    _ context: OutputContext
  ) throws {
    let objections = Objections()
    self.defaults = defaults
    defaultPlaces = places
    blank = try OutputRequest.blank()
    self.keys = keys
    self.objections = objections
    self.context = OutputContext(
      values: context.values, canWait: context.canWait, keepsJSONBytes: context.keepsJSONBytes,
      warn: context.warn, object: { error throws(UsageError) in objections.all.append(error) },
      metrics: context.metrics, instance: context.instance)
  }

  /// The combinations of settings that were refused in the output that is being built.
  private final class Objections {
    var all: [UsageError] = []
  }

  // MARK: One output

  /// Builds an output from its settings.
  ///
  /// - Parameters:
  ///   - needsTarget: whether standard output must be named as the target explicitly.
  ///   - shown: what the output shows if its settings don't say so.
  mutating func add(
    _ reader: inout SettingsReader, name: String?, needsTarget: Bool,
    shown: (OutputRequest) -> OutputRequest.Shown
  ) {
    // Without a place the settings couldn't be read, which has been reported.
    guard let start = reader.place else { return }
    var request = blank
    request.name = name
    request.format.formatsDir = defaults.format.formatsDir
    for key in targets { key.take(&reader, &request, context.values) }
    let targetCount = lookAtTargets(&reader, &request)
    if targetCount == 0 {
      if needsTarget { note(start, name, found: "no target", expected: "one of \(targetNames)") }
      request.isStandardOutput = !needsTarget
    }
    let isPlaced =
      targetCount <= 1
      && (request.output.hasTarget || request.isStandardOutput || request.metrics != nil)
    let own = (targets + keys).filter { reader.place(of: $0.name) != nil }
    if request.metrics != nil {
      if reader.place(of: "show") != nil {
        reader.report("show", found: "metrics", expected: "an output that shows something")
      }
      request.shown = .lines
    } else if request.shown == nil {
      request.shown = defaults.shown ?? shown(request)
    }
    takeOverDefaults(&request, own)
    for key in keys {
      key.take(&reader, &request, context.values)
      guard reader.place(of: key.name) != nil, [.lines, .groups].contains(key.scope),
        !key.applies(to: request)
      else { continue }
      reader.report(
        key.name,
        found: request.metrics == nil ? "an output that shows \(request.shown?.rawValue ?? "")" : "metrics",
        expected: key.needs)
    }
    let places = Dictionary(
      own.compactMap { key in reader.place(of: key.name).map { (key.name, $0) } }, uniquingKeysWith: { $1 })
    let configuration = configuration(request, isPlaced: isPlaced, isWhole: !reader.hasMistakes)
    built.append(Built(configuration: configuration, isPlaced: isPlaced, places: places, start: start))
    for error in objections.all { note(error, in: built[built.count - 1]) }
    objections.all = []
  }

  /// The settings for targets; metrics are among them only in a file, as options have no form for their
  /// settings.
  private var targets: [OutputKey] {
    defaultPlaces == nil ? OutputKey.targets : OutputKey.targets + [.metrics]
  }

  private var targetNames: String {
    "file, exec, socket\(defaultPlaces == nil ? "" : ", metrics") and standard-output"
  }

  /// Counts the targets that are set, and reports a second one.
  private func lookAtTargets(_ reader: inout SettingsReader, _ request: inout OutputRequest) -> Int {
    let set = targets.filter {
      $0.name != "show" && reader.place(of: $0.name) != nil
        && ($0.name != "standard-output" || request.isStandardOutput)
    }
    if set.count > 1 {
      reader.report(set[1].name, found: "a second target", expected: "only one of \(targetNames)")
    }
    if request.output.w == "-" { request.isStandardOutput = true }
    return set.count
  }

  /// Copies the defaults that apply to an output and that it doesn't override.
  private mutating func takeOverDefaults(_ request: inout OutputRequest, _ own: [OutputKey]) {
    let replaced = Set(own.flatMap { [$0.name] + $0.displaced })
    for key in keys where key.differs(defaults, blank) && key.applies(to: request) {
      used.insert(key.name)
      if !replaced.contains(key.name) { key.copy(defaults, &request) }
    }
  }

  /// The configuration of an output with these settings.
  ///
  /// - Parameters:
  ///   - isPlaced: whether the target was understood.
  ///   - isWhole: whether all other settings were; if not, conflicts with the target aren't reported, as they
  ///     may result from the other mistakes.
  private func configuration(_ request: OutputRequest, isPlaced: Bool, isWhole: Bool) -> OutputConfiguration {
    var output = OutputConfiguration()
    attempt { () throws(UsageError) in try request.setQueries(&output) }
    attempt { () throws(UsageError) in try request.setGrouping(&output, context.values) }
    attempt { () throws(UsageError) in try request.setShown(&output, context) }
    attempt { () throws(UsageError) in try request.setLimits(&output, context.values) }
    let count = objections.all.count
    if isPlaced { attempt { () throws(UsageError) in try request.setTarget(&output, context) } }
    if !isWhole { objections.all.removeLast(objections.all.count - count) }
    return output
  }

  private func attempt(_ step: () throws(UsageError) -> Void) {
    do throws(UsageError) {
      try step()
    } catch {
      objections.all.append(error)
    }
  }

  // MARK: All outputs

  /// Puts the outputs into a configuration, and makes the checks that need all outputs.
  mutating func finish(_ configuration: inout Configuration) {
    configuration.outputs = built.map(\.configuration)
    for mistake in configuration.check() { note(mistake.error, in: built[mistake.outputIndex]) }
    let placed = built.filter(\.isPlaced)
    for collision in OutputCollision.all(in: placed.map(\.configuration)) {
      note(collision.error, in: placed[collision.index])
    }
    if !configuration.sharesMemoryFairly,
      let greediest = built.max(by: { $0.configuration.spoolBytes ?? 0 < $1.configuration.spoolBytes ?? 0 })
    {
      let given = "\(configuration.spoolBytesGiven) bytes for the outputs that have it"
      let hint =
        "all outputs together may take \(configuration.process.spoolBytes), of which each of the others needs 1M"
      note(
        UsageError(
          "--output: spool-memory: \(given); expected less, or a larger --spool-memory: \(hint)",
          inSettings: .init("spool-memory", given, hint: "expected less, or a larger sum: \(hint)")),
        in: greediest)
    }
    guard !built.isEmpty else { return }
    for key in keys where key.differs(defaults, blank) && !used.contains(key.name) {
      if let place = defaultPlaces?[key.name] {
        note(place, key.name, found: "no output takes it", expected: "\(key.needs) among them")
      } else if defaultPlaces == nil {
        mistakes.append(
          .option(UsageError("\(key.option): no --output takes it; expected \(key.needs) among them")))
      }
    }
  }

  // MARK: Mistakes

  private mutating func note(_ place: SettingsPlace, _ key: String?, found: String, expected: String) {
    mistakes.append(.setting(SettingsMistake(place: place, key: key, found: found, expected: expected)))
  }

  /// Keeps an error at the setting that causes it.
  private mutating func note(_ error: UsageError, in output: Built) {
    guard let fault = error.inSettings else { return mistakes.append(.option(error)) }
    if output.places[fault.key] == nil, defaultPlaces == nil, fault.isAtOption {
      return mistakes.append(.option(error))
    }
    let place = output.places[fault.key] ?? defaultPlaces?[fault.key] ?? output.start
    mistakes.append(
      .setting(SettingsMistake(place: place, key: fault.key, found: fault.found, hint: fault.hint)))
  }

  /// Keeps an error in compiling a format or a query at the setting that causes it.
  ///
  /// An error in an option isn't kept: the run reports it in its own words.
  private mutating func note(_ error: RunError, in output: Built) {
    let (keys, found) = error.inSettings
    for places in [output.places, defaultPlaces ?? [:]] {
      guard let key = keys.first(where: { places[$0] != nil }), let place = places[key] else { continue }
      return mistakes.append(.setting(SettingsMistake(place: place, key: key, found: found, hint: "")))
    }
  }
}

extension RunError {
  /// The settings that may cause the error, and the error in one line.
  fileprivate var inSettings: (keys: [String], found: String) {
    switch self {
    case .format(let error): (["format-text", "format-file", "format"], error.description)
    case .query(let error):
      (["query", "query-file"], "\"\(String(decoding: error.query, as: UTF8.self))\": \(error.summary)")
    case .recordRule(let error): (["tags"], error.summary)
    case .merging(.singleRecords):
      (
        ["grouping"],
        "single records have no order: expected vxid, request or session, as the inputs are merged"
      )
    case .merging(.binary):
      (
        ["show"],
        "in one binary log, transactions of several logs would have the same numbers: "
          + "expected lines or groups, as the inputs are merged"
      )
    default: ([], description)
    }
  }
}
