import CShims
import Glibc
import Platform

/// Tries one action; returns "done", or the reason why it failed.
func attempt(_ verb: String, _ value: String) -> String {
  let names = value.split(separator: ",").map(String.init)
  switch verb {
  case "read": return opened(open(value, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
  case "list": return opened(open(value, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  case "write": return opened(open(value, O_WRONLY | O_CLOEXEC | O_NONBLOCK))
  case "create": return opened(open(value, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
  case "truncate": return done(truncate(value, 0))
  case "directory": return done(mkdir(value, 0o700))
  case "link": return done(symlink("/", value))
  case "rename": return done(rename(names[0], names[1]))
  case "remove": return done(unlink(value))
  case "unnamed": return unnamed(names[0], names[1])
  case "socket": return socketFile(value)
  case "shell": return shell(value)
  case "connect", "bind": return tcp(verb, UInt16(value) ?? 0)
  case "signal": return done(kill(pid_t(value) ?? 0, 0))
  case "zone":
    setenv("TZ", value, 1)
    tzset()
    var time = 0
    var fields = tm()
    localtime_r(&time, &fields)
    return "\(fields.tm_gmtoff)"
  case "user": return getpwnam(value) == nil ? "none" : "done"
  case "become": return done(shim_set_user(UInt32(value) ?? 0))
  default: return "no such verb"
  }
}

private func done(_ result: Int32) -> String { result >= 0 ? "done" : Errno(errno).description }

private func opened(_ descriptor: Int32) -> String {
  defer { if descriptor >= 0 { close(descriptor) } }
  return done(descriptor)
}

/// Makes a file without a name, and names it when it is complete.
private func unnamed(_ directory: String, _ path: String) -> String {
  let descriptor = open(directory, 0o20_000_000 | O_DIRECTORY | O_WRONLY | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { return done(descriptor) }
  defer { close(descriptor) }
  return done(linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW))
}

private func socketFile(_ path: String) -> String {
  let descriptor = shim_stream_socket()
  defer { close(descriptor) }
  return done(shim_bind_local(descriptor, path, 0o600))
}

/// Runs a shell command; returns its status.
private func shell(_ command: String) -> String {
  let texts = ["sh", "-c", command]
  let words = texts.map { strdup($0) }
  defer { for word in words { free(word) } }
  var process: pid_t = 0
  let code = posix_spawn(&process, "/bin/sh", nil, nil, words + [nil], environ)
  guard code == 0 else { return Errno(code).description }
  var status: Int32 = 0
  waitpid(process, &status, 0)
  return "\(status >> 8 & 0xff)"
}

private func tcp(_ verb: String, _ port: UInt16) -> String {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      let length = socklen_t(MemoryLayout<sockaddr_in>.size)
      return done(verb == "bind" ? bind(descriptor, pointer, length) : connect(descriptor, pointer, length))
    }
  }
}
