import Glibc

/// The terminal: its size, its keys, and what it was like before.
package struct Terminal: ~Copyable {
  /// For writing without ever waiting.
  package let output: Int32
  /// For reading keys; nil if they go elsewhere.
  package let keys: Int32?
  /// Whether colours are welcome.
  package let hasColours: Bool
  private var former: termios?

  /// Takes the terminal that standard output is; nil if it is something else, or too simple for a panel.
  package static func open() -> Terminal? {
    let kind = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
    guard isatty(STDOUT_FILENO) == 1, !kind.isEmpty, kind != "dumb" else { return nil }
    // A description of its own: the one that others share must go on waiting.
    let output = unsafe Glibc.open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard output >= 0 else { return nil }
    return Terminal(output)
  }

  private init(_ output: Int32) {
    self.output = output
    hasColours = unsafe (getenv("NO_COLOR").map { unsafe String(cString: $0) } ?? "").isEmpty
    // A process in the background would be stopped for changing the terminal.
    let hasKeys = isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp()
    keys = hasKeys ? STDIN_FILENO : nil
    former = nil
  }

  deinit { close(output) }

  /// How many characters there are in a row, and how many rows.
  package var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard unsafe ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Has keys handed on at once and not shown.
  ///
  /// Those that send signals still do, but for the two that would leave the terminal like this.
  package mutating func takeKeys() {
    var settings = termios()
    guard let keys, unsafe tcgetattr(keys, &settings) == 0 else { return }
    former = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    unsafe withUnsafeMutableBytes(of: &settings.c_cc) { characters in
      unsafe characters[Int(VMIN)] = 1
      unsafe characters[Int(VTIME)] = 0
      // No character at all.
      for index in [VSUSP, VQUIT] { unsafe characters[Int(index)] = 0 }
    }
    unsafe tcsetattr(keys, TCSANOW, &settings)
  }

  /// Makes the keys what they were.
  package mutating func giveBackKeys() {
    guard let keys, var settings = former else { return }
    unsafe tcsetattr(keys, TCSANOW, &settings)
    former = nil
  }
}
