package import Glibc

/// The identity of a file, whatever name it has now or later.
public struct FileIdentity: Hashable, Sendable {
  /// The number of the device, and the inode number on it.
  public let device: UInt64, inode: UInt64

  /// An identity made of numbers that were noted somewhere.
  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  package init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}
