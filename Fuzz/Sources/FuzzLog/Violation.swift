import Glibc

/// Ends the process as a finding: a promise was broken.
func violated(_ promise: String) -> Never {
  let line = Array("FuzzLog: \(promise)\n".utf8)
  _ = write(2, line, line.count)
  abort()
}

/// Ends the process as a finding if `condition` doesn't hold.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
  if !condition { violated(promise()) }
}
