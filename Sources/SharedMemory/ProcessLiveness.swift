import Glibc

/// Whether a process of that number exists; one that belongs to somebody else counts.
public func processIsAlive(_ pid: Int32) -> Bool {
  pid > 0 && (kill(pid, 0) == 0 || errno == EPERM)
}
