/// The operation that failed and its error, without the path: a file may have another name each time.
package struct FailedOperation: Equatable {
  let operation: String
  let code: Int32

  package init(_ error: SystemError) {
    operation = error.operation
    code = error.code
  }
}

extension Trouble where Cause == FailedOperation {
  /// Reports the error and its consequence, unless it was reported already.
  package mutating func say(_ error: SystemError, _ consequence: String, _ warn: (String) -> Void) {
    if begin(FailedOperation(error)) { warn("\(error); \(consequence)") }
  }
}
