import CShims

/// What a process gets from the one that started it, put right before anything else is done.
package enum InheritedState {
  /// Whether hang-ups were to be ignored, as `nohup` has it.
  nonisolated(unsafe) package private(set) static var ignoresHangups = false

  /// Fills the standard descriptors that are closed, gives all signals their usual meaning, and, as a container's
  /// first process, has another one do the work.
  ///
  /// Called once, at the very beginning: what is opened first would get the number of a closed descriptor, and
  /// be taken for standard output.
  package static func settle() {
    // Sound, as there are no other threads yet.
    unsafe ignoresHangups = shim_settle_inherited_state() != 0
  }
}
