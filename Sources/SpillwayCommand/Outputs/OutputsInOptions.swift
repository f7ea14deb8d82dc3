import Pipeline
import Settings

/// The outputs that `--output` asks for, each of which has all its settings in one text.
struct OutputsInOptions {
  private let texts: [String]
  private let defaults: OutputRequest
  private let context: OutputContext
  private let shown: (OutputRequest) -> OutputRequest.Shown

  /// - Parameters:
  ///   - texts: the values of `--output`.
  ///   - defaults: the options outside of `--output`, which apply to all outputs.
  ///   - shown: what an output shows if its settings don't say so.
  init(
    _ texts: [String], defaults: OutputRequest, _ context: OutputContext,
    shown: @escaping (OutputRequest) -> OutputRequest.Shown
  ) {
    self.texts = texts
    self.defaults = defaults
    self.context = context
    self.shown = shown
  }

  /// The configurations of all outputs.
  ///
  /// - Throws: `UsageError` with the first mistake.
  func configurations(in configuration: Configuration) throws -> [OutputConfiguration] {
    var builder = try OutputBuilder(defaults, at: nil, keys: OutputKey.common + [.limit], context)
    for (index, text) in texts.enumerated() {
      var reader = SettingsReader(OutputText.read(text))
      let before = builder.mistakes.count
      builder.add(&reader, name: nil, needsTarget: false, shown: shown)
      // Errors in one setting come before conflicts between settings.
      if let first = reader.finish().first { throw error(first, index) }
      if builder.mistakes.count > before { throw error(builder.mistakes[before], index) }
    }
    var configuration = configuration
    builder.finish(&configuration)
    if let first = builder.mistakes.first { throw error(first, nil) }
    return configuration.outputs
  }

  private func error(_ mistake: OutputBuilder.Mistake, _ index: Int?) -> UsageError {
    switch mistake {
    case .setting(let mistake): error(mistake, index)
    case .option(let error): error
    }
  }

  /// The error for a mistake; it quotes the output's text if there are several outputs and the index is known.
  private func error(_ mistake: SettingsMistake, _ index: Int?) -> UsageError {
    let text = index.map { texts.count > 1 ? " (in \(OutputText.quoted(texts[$0])))" : "" } ?? ""
    return UsageError("\(mistake)\(text)")
  }
}
