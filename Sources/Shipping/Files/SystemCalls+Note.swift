import CShims
import Glibc
import Platform

extension SystemCalls {
  /// Leaves a child process behind that waits for a command's end and then notes it in the file's mark, after
  /// this program has ended; a signal to that process ends it without a note.
  /// - Parameter process: a descriptor that becomes readable when the command ends.
  func leaveNote(ofEnd process: Int32, _ job: BackgroundCommand.Job, _ mark: FileMark) {
    let paths = [job.path] + FileNaming.compressedSuffixes.map { job.path + $0 }
    let copies = unsafe paths.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    let pointers = unsafe copies.map { unsafe $0.map { unsafe UnsafePointer($0) } } + [nil]
    let bytes = mark.bytes
    _ = try? perform(.spawn) { _ in
      unsafe shim_leave_note_of_end(
        process, pointers, job.identity.device, job.identity.inode, FileMark.name, bytes, bytes.count)
    }
  }
}
