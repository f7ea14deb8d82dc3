import Platform
import VarnishLog

extension LogIncarnation {
  /// Names a log by its file and, if it is live, by its writer.
  init(_ file: FileIdentity, writer: Writer? = nil) {
    self.init(device: file.device, inode: file.inode, writer: writer)
  }
}
