/// A terminal emulated by tmux, whose screen a test can read.
public final class TmuxSession: Sendable {
  private let home: TemporaryDirectory
  private var socket: String { home.file("tmux") }

  /// Starts a shell command in a terminal of a given size.
  ///
  /// The screen stays readable after the command has ended.
  public init(
    _ command: String, columns: Int, rows: Int, environment: [String: String] = [:]
  ) throws(SupportError) {
    home = try TemporaryDirectory()
    let variables = environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
    try run(
      "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
      "env \(variables) \(command); status=$?; echo; echo ended with $status; sleep 1000")
  }

  deinit { _ = try? run("kill-server") }

  @discardableResult
  private func run(_ arguments: String...) throws(SupportError) -> String {
    var command = Command("tmux", ["-S", socket] + arguments)
    command.environment = [
      "TMUX": nil, "NO_COLOR": nil, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
    ]
    let result = try ProcessRunner.run(command)
    guard result.status == 0 else { throw SupportError("tmux \(arguments): \(result.errorText)") }
    return result.text
  }

  /// Presses keys, by tmux's names for them, such as `PageDown`, or letters.
  public func press(_ keys: String...) throws(SupportError) {
    for key in keys { try run("send-keys", key) }
  }

  /// Gives the terminal another size.
  public func resize(columns: Int, rows: Int) throws(SupportError) {
    try run("resize-window", "-x", "\(columns)", "-y", "\(rows)")
  }

  /// The text of the screen, without blanks at the ends of its rows.
  public func screen() throws(SupportError) -> String { try run("capture-pane", "-p") }

  /// The text of the screen with the escape sequences for colours and styles.
  public func styledScreen() throws(SupportError) -> String { try run("capture-pane", "-p", "-e") }

  /// Waits until the screen satisfies a condition.
  ///
  /// - Parameter isStyled: whether the condition gets the text with escape sequences.
  /// - Throws: If the condition doesn't hold within 20 seconds; the error contains the last screen.
  @discardableResult
  public func wait(
    for what: String, isStyled: Bool = false, _ isWanted: (String) -> Bool
  ) throws(SupportError) -> String {
    var last = ""
    let found = try poll(every: .milliseconds(50), until: .after(.seconds(20))) { () throws(SupportError) in
      last = isStyled ? try styledScreen() : try screen()
      return isWanted(last)
    }
    guard found else { throw SupportError("\(what) isn't shown, but:\n\(last)") }
    return last
  }
}
