package import Glibc

/// Which file something is, however it is called, and however it is called later.
public struct FileIdentity: Hashable, Sendable {
  /// The number of the device, and of the file on it.
  public let device: UInt64, inode: UInt64

  /// A file by its numbers, as they were noted somewhere.
  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  package init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}
