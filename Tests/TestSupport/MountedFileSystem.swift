import Glibc

/// A file system in memory with a size of its own, mounted on a new directory until the last reference goes.
public final class MountedFileSystem: Sendable {
  /// Where it is mounted.
  public let path: String
  private let home: TemporaryDirectory?

  /// Whether this process may mount a file system.
  public static let isPossible: Bool = geteuid() == 0 && (try? MountedFileSystem(byteCount: 1 << 20)) != nil

  /// Mounts a file system on a directory of its own.
  public convenience init(byteCount: Int) throws(SupportError) {
    let home = try TemporaryDirectory()
    try self.init(home.path, options: "size=\(byteCount)", home)
  }

  /// Mounts a read-only file system over a directory, which is hidden for as long as the mount lasts.
  public convenience init(readOnlyOver path: String) throws(SupportError) {
    try self.init(path, options: "ro,mode=0700", nil)
  }

  private init(_ path: String, options: String, _ home: TemporaryDirectory?) throws(SupportError) {
    self.path = path
    self.home = home
    let result = try ProcessRunner.run("mount", "-t", "tmpfs", "-o", options, "spillway-test", path)
    guard result.status == 0 else { throw SupportError("mount a tmpfs on \(path): \(result.errorText)") }
  }

  // Unmounts lazily: a program that still has files open there must not keep the mount.
  deinit { _ = try? ProcessRunner.run("umount", "-l", path) }

  /// The path of an entry in it, whether it exists or not.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Fills the file system with a file of this name.
  public func fill(_ name: String) throws(SupportError) {
    let descriptor = open(file(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SupportError("make \(file(name))", errno: errno) }
    defer { close(descriptor) }
    for size in [1 << 20, 4096, 1] {
      let chunk = [UInt8](repeating: 0, count: size)
      while write(descriptor, chunk, size) == size {}
    }
    guard errno == ENOSPC else { throw SupportError("fill \(path)", errno: errno) }
  }
}
