/// The state of a switch that may have a value.
public enum SettingsSwitch<Value> {
  /// It is off, as in `no`.
  case off
  /// It is on, with the default value.
  case on
  /// It is on, with a value.
  case value(Value)
}

extension SettingsSwitch: Equatable where Value: Equatable {}

extension SettingsSwitch: Sendable where Value: Sendable {}
