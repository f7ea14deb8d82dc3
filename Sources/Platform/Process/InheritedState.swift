import CShims

/// Corrects state that a process inherits from its parent, before anything else is done.
package enum InheritedState {
  /// Whether hang-ups are to be ignored, as `nohup` requests.
  nonisolated(unsafe) package private(set) static var ignoresHangups = false

  /// Opens the standard descriptors that are closed, gives all signals their default action and, as a
  /// container's first process, lets a child do the work.
  ///
  /// Called once, at the very beginning: otherwise the first file opened would get the number of a closed
  /// descriptor, and be taken for standard output.
  package static func settle() {
    // Sound, as there are no other threads yet.
    unsafe ignoresHangups = shim_settle_inherited_state() != 0
  }
}
