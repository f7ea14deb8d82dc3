import CShims

/// The program's own code, which takes more of a small process's memory than its data does.
package enum ProgramCode {
  /// Removes code that only the start has needed from this process's memory.
  ///
  /// Options, help and the start of the runtime take some megabytes that a long run never uses again. Code
  /// that is used again is mapped at the first access, without reading from the disk.
  package static func release() { shim_release_program() }
}
