import Glibc
import TestSupport

/// A directory with a file system of its own, for as long as this object exists.
final class MountedDirectory: Sendable {
  private let directory: TemporaryDirectory

  /// Its path.
  var path: String { directory.path }

  /// Mounts a file system of this type.
  init(type: String, options: String = "defaults", source: String = "none") throws(SupportError) {
    directory = try TemporaryDirectory()
    let result = try ProcessRunner.run("mount", "-t", type, "-o", options, source, directory.path)
    guard result.status == 0 else { throw SupportError("mount a \(type): \(result.errorText)") }
  }

  /// Mounts a file system in a file, of a type that can't allocate blocks in advance.
  convenience init(oldFileSystemOf byteCount: Int, in directory: TemporaryDirectory) throws(SupportError) {
    let image = directory.file("image")
    try writeFile(image, [UInt8](repeating: 0, count: byteCount))
    let result = try ProcessRunner.run("mkfs.ext2", "-q", image)
    guard result.status == 0 else { throw SupportError("make a file system: \(result.errorText)") }
    try self.init(type: "ext2", options: "loop", source: image)
  }

  deinit {
    // Unmounts lazily, in case a file in it is still open.
    _ = try? ProcessRunner.run("umount", "--lazy", directory.path)
  }

  /// Whether this user may mount: root may, unless it is root of a container only.
  static let isPossible: Bool = (try? MountedDirectory(type: "tmpfs", options: "size=64k")) != nil

  /// Whether this machine lets a file be mounted.
  static let isFilePossible: Bool = {
    guard isPossible, let directory = try? TemporaryDirectory() else { return false }
    return (try? MountedDirectory(oldFileSystemOf: 1 << 20, in: directory)) != nil
  }()
}
