import Pipeline
import Shipping

/// Reads the values of options for outputs that a consumer reads from.
extension OptionValues {
  /// The value of `--on-restart`.
  func restartPolicy(_ text: String?) throws(UsageError) -> RestartPolicy {
    guard let text else { return .resend }
    guard let policy = RestartPolicy(rawValue: text) else {
      let names = RestartPolicy.allCases.map(\.rawValue).joined(separator: " nor ")
      throw UsageError("--on-restart: \"\(text)\" is neither \(names)")
    }
    return policy
  }

  /// The value of `--overflow`; nil if it isn't given.
  func overflow(_ text: String?) throws(UsageError) -> OutputConfiguration.Overflow? {
    guard let text else { return nil }
    guard let overflow = OutputConfiguration.Overflow(rawValue: text) else {
      throw UsageError("--overflow: \"\(text)\" is none of spill, drop and block")
    }
    return overflow
  }

  /// The command or the socket that the options name; nil if they name neither.
  func consumer(
    _ output: OutputOptions, _ onRestart: RestartPolicy
  ) throws(UsageError) -> OutputConfiguration.Target? {
    guard [output.w, output.exec, output.socket].count(where: { $0 != nil }) <= 1 else {
      throw UsageError("Only one of -w, --exec and --socket may be used")
    }
    if let command = output.exec {
      guard command.contains(where: { !$0.isWhitespace }) else { throw UsageError("--exec: no command") }
      return .command(command, onRestart)
    }
    guard let text = output.socket else { return nil }
    do {
      var receiver = try SocketReceiver(text)
      if case .unix(let path) = receiver.address {
        receiver.address = try SocketAddress("unix:" + absolute(path))
      }
      return .socket(receiver, onRestart)
    } catch {
      throw UsageError("--socket: \(error)")
    }
  }
}

extension OutputOptions {
  /// Whether a target is named explicitly; `-w -`, which is standard output, counts, too.
  var hasTarget: Bool { w != nil || exec != nil || socket != nil }
}
