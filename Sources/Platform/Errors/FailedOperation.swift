/// What failed and why, independent of the path: a file may have another name each time.
package struct FailedOperation: Equatable {
  let operation: String
  let code: Int32

  package init(_ error: SystemError) {
    operation = error.operation
    code = error.code
  }
}

extension Trouble where Cause == FailedOperation {
  /// Says what is wrong, and what comes of it, unless that has been said.
  package mutating func say(_ error: SystemError, _ consequence: String, _ warn: (String) -> Void) {
    if begin(FailedOperation(error)) { warn("\(error); \(consequence)") }
  }
}
