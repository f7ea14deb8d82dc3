import CShims

/// The program's own code, which takes more of a small process's memory than its data does.
package enum ProgramCode {
  /// Has what was needed to begin leave the memory of this process.
  ///
  /// Options, help and the runtime's beginnings take some megabytes that a long run never looks at again. What it does
  /// look at is mapped again at the first touch, without reading from the disk.
  package static func release() { shim_release_program() }
}
