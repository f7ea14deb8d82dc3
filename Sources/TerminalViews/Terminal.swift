import Glibc

/// The terminal: its size, its keys, and its former settings.
package struct Terminal: ~Copyable {
  /// The file descriptor for output, which doesn't block.
  package let output: Int32
  /// The file descriptor for keys; nil if keys can't be read by this process.
  package let keys: Int32?
  /// Whether colours may be used.
  package let hasColours: Bool
  private var former: termios?

  /// Opens the terminal on standard output; nil if that is no terminal, or one too simple for a panel.
  package static func open() -> Terminal? {
    let kind = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
    guard isatty(STDOUT_FILENO) == 1, !kind.isEmpty, kind != "dumb" else { return nil }
    // Opened again: the open file that other processes share must stay in blocking mode.
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

  /// The number of characters in a row, and the number of rows.
  package var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard unsafe ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Makes keys readable at once, and doesn't echo them.
  ///
  /// Keys that send signals still do, except for the two that would leave the terminal with these settings.
  package mutating func takeKeys() {
    var settings = termios()
    guard let keys, unsafe tcgetattr(keys, &settings) == 0 else { return }
    former = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    unsafe withUnsafeMutableBytes(of: &settings.c_cc) { characters in
      unsafe characters[Int(VMIN)] = 1
      unsafe characters[Int(VTIME)] = 0
      // 0 disables the key.
      for index in [VSUSP, VQUIT] { unsafe characters[Int(index)] = 0 }
    }
    unsafe tcsetattr(keys, TCSANOW, &settings)
  }

  /// Restores the former settings.
  package mutating func giveBackKeys() {
    guard let keys, var settings = former else { return }
    unsafe tcsetattr(keys, TCSANOW, &settings)
    former = nil
  }
}
