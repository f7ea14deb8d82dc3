import Glibc

/// Ends the process as a finding, because a promise was broken.
package func violated(_ promise: String) -> Never {
  let line = Array("Fuzz: \(promise)\n".utf8)
  _ = write(2, line, line.count)
  abort()
}

/// Ends the process as a finding if `condition` doesn't hold.
package func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
  if !condition { violated(promise()) }
}
