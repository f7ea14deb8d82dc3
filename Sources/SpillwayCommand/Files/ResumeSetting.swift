import Pipeline
import Settings

/// Whether a run from a file keeps a checkpoint, and where.
struct ResumeSetting {
  private var setting: SettingsSwitch<String>?
  private var place: SettingsPlace?

  /// Takes the setting from a reader.
  mutating func take(_ reader: inout SettingsReader, _ values: OptionValues) {
    place = reader.place(of: "resume")
    setting = reader.takeSwitch("resume", expecting: "a path, yes or no") { (text) throws in
      guard let path = try values.checkpoint(text) else { throw Expectation("a path, yes or no") }
      return path
    }
    if case .on = setting, values.usualCheckpoint == nil {
      reader.report(
        "resume", found: "there is no directory for a service's state (STATE_DIRECTORY)", expected: "a path")
    }
  }

  /// Puts the checkpoint into a configuration whose input and outputs are known, and returns mistakes in the
  /// setting.
  ///
  /// Without a setting, the service's usual checkpoint is used, unless the input or the outputs rule that out.
  /// - Parameter option: the path that an option names, which overrides the setting.
  /// - Throws: `UsageError` if the option is to blame.
  func set(
    in configuration: inout Configuration, option: String?, _ values: OptionValues
  ) throws(UsageError) -> [SettingsMistake] {
    if let option {
      configuration.process.resume = try values.checkpoint(option)
      try configuration.checkCheckpoint()
      return []
    }
    switch setting {
    case .off: return []
    case .value(let path): configuration.process.resume = path
    case .on: configuration.process.resume = values.usualCheckpoint
    case nil:
      configuration.process.resume = values.usualCheckpoint
      configuration.process.isResumeUsual = true
    }
    do throws(UsageError) {
      try configuration.checkCheckpoint()
      return []
    } catch {
      configuration.process.resume = nil
      guard let place, let fault = error.inSettings else { return [] }
      return [SettingsMistake(place: place, key: fault.key, found: fault.found, hint: fault.hint)]
    }
  }
}
