/// What a switch is set to that may have a value.
public enum SettingsSwitch<Value> {
  /// It is off, as in `no`.
  case off
  /// It is on, and takes what is usual.
  case on
  /// It is on, with this.
  case value(Value)
}

extension SettingsSwitch: Equatable where Value: Equatable {}

extension SettingsSwitch: Sendable where Value: Sendable {}
