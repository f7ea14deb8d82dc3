import CShims
import Glibc
import Platform
import TestSupport
import Testing

@Suite struct ServiceManagerTests {
  /// The notification socket of a service manager.
  private final class Manager {
    let directory: TemporaryDirectory
    let address: String
    private var descriptor: Int32

    init(isAbstract: Bool = false) throws {
      directory = try TemporaryDirectory()
      address =
        isAbstract ? "@spillway-test-\(getpid())-\(directory.path.suffix(6))" : directory.file("notify")
      descriptor = try Self.bound(address)
    }

    deinit { close(descriptor) }

    /// Makes a new socket, as a restarted service manager does.
    func restart() throws {
      close(descriptor)
      unlink(address)
      descriptor = try Self.bound(address)
    }

    /// A message that has already arrived, if any: sending returns only when the message is there.
    func message() -> String? {
      var buffer = [UInt8](repeating: 0, count: 8192)
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    var messages: [String] {
      var all: [String] = []
      while let next = message() { all.append(next) }
      return all
    }

    private static func bound(_ address: String) throws -> Int32 {
      let descriptor = shim_message_socket()
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      let bytes = address.utf8.map { $0 == UInt8(ascii: "@") ? 0 : CChar(bitPattern: $0) }
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes.map { UInt8(bitPattern: $0) }) }
      let length = socklen_t(2 + bytes.count + (bytes.first == 0 ? 0 : 1))
      let result = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
      }
      guard result == 0 else { throw SupportError("bind \(address)", errno: errno) }
      return descriptor
    }
  }

  @Test(arguments: [false, true])
  func `a manager hears what a run does, by a path and by an abstract name`(isAbstract: Bool) throws {
    let manager = try Manager(isAbstract: isAbstract)
    let service = ServiceManager(socket: manager.address)
    #expect(service.isThere && service.trouble == nil)
    service.say(.ready, .status("follows /var/lib/varnish/edge"))
    service.say(.watchdog)
    service.say(.reloading(nanoseconds: 12_345_678))
    service.say(.ready)
    service.say(.stopping)
    #expect(
      manager.messages == [
        "READY=1\nSTATUS=follows /var/lib/varnish/edge", "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=12345", "READY=1", "STOPPING=1",
      ])
  }

  @Test func `another process is made the main one in the message that says that it is ready`() throws {
    let manager = try Manager()
    let service = ServiceManager(socket: manager.address)
    service.say(.mainProcess(4711), .ready)
    service.say(.mainProcess(4712))
    #expect(manager.messages == ["MAINPID=4711\nREADY=1", "MAINPID=4712"])
  }

  @Test func `a status is one line, whatever names there are in it, and has a length that managers take`()
    throws
  {
    let manager = try Manager()
    let service = ServiceManager(socket: manager.address)
    service.say(.status("a\nREADY=1\u{1b}[2J"))
    #expect(manager.message() == "STATUS=a\\nREADY=1\\x1b[2J")
    service.say(.status(String(repeating: "ä", count: 5000)))
    let long = try #require(manager.message())
    #expect(long.utf8.count <= 1100 && long.hasSuffix("ä..."))
  }

  @Test func `a manager that is full holds nothing up, and hears later what counts`() throws {
    let manager = try Manager()
    let service = ServiceManager(socket: manager.address)
    // The kernel queues only a few unread messages.
    for _ in 0..<5000 { service.say(.watchdog) }
    #expect(!service.hasUntold)
    service.say(.ready, .status("first"))
    service.say(.status("second"))
    #expect(service.hasUntold)
    let taken = manager.messages
    #expect(!taken.isEmpty && Set(taken) == ["WATCHDOG=1"])
    service.retry()
    #expect(!service.hasUntold)
    #expect(manager.messages == ["READY=1\nSTATUS=second"])
  }

  @Test func `a manager that was started again is found again`() throws {
    let manager = try Manager()
    let service = ServiceManager(socket: manager.address)
    service.say(.ready)
    try manager.restart()
    service.say(.stopping)
    #expect(manager.messages == ["STOPPING=1"])
  }

  @Test func `a manager that isn't there is no trouble`() throws {
    let directory = try TemporaryDirectory()
    let service = ServiceManager(socket: directory.file("nothing"))
    for _ in 0..<100 { service.say(.ready, .watchdog) }
    let none = ServiceManager(socket: nil, watchdogMicroseconds: "1000000")
    none.say(.ready)
    #expect(!none.isThere && none.watchdogNanoseconds == nil)
  }

  @Test(arguments: [
    ("vsock:2:1234", "NOTIFY_SOCKET: vsock:2:1234: sockets of a virtual machine aren't supported"),
    ("vsock-stream:2:1", "NOTIFY_SOCKET: vsock-stream:2:1: sockets of a virtual machine aren't supported"),
    ("relative", "NOTIFY_SOCKET: relative: neither a path nor an abstract name"),
    ("@", "NOTIFY_SOCKET: @: neither a path nor an abstract name"),
    ("", "NOTIFY_SOCKET: : neither a path nor an abstract name"),
  ])
  func `an address of another kind is said to be one, and nothing is sent`(address: String, trouble: String) {
    let service = ServiceManager(socket: address, watchdogMicroseconds: "1000000")
    #expect(service.trouble == trouble)
    #expect(!service.isThere && service.watchdogNanoseconds == nil)
    service.say(.ready)
  }

  @Test func `an address that is too long is refused`() {
    let service = ServiceManager(socket: "/" + String(repeating: "x", count: 200))
    #expect(service.trouble?.contains("more than the 107 bytes") == true)
  }

  @Test func `the watchdog is for the process that it names`() throws {
    let manager = try Manager()
    func nanoseconds(_ microseconds: String?, _ process: String?) -> Int64? {
      ServiceManager(
        socket: manager.address, watchdogMicroseconds: microseconds, watchdogProcess: process, process: 100
      ).watchdogNanoseconds
    }
    #expect(nanoseconds("30000000", "100") == 30_000_000_000)
    #expect(nanoseconds("30000000", nil) == 30_000_000_000)
    #expect(nanoseconds("30000000", "101") == nil)
    #expect(nanoseconds("30000000", "x") == nil)
    #expect(nanoseconds("0", "100") == nil)
    #expect(nanoseconds("-1", "100") == nil)
    #expect(nanoseconds(nil, "100") == nil)
    #expect(nanoseconds("9223372036854775807", "100") == 35_184_372_088_832_000)
  }

  @Test func `commands that are started don't inherit the manager's variables`() throws {
    let manager = try Manager()
    let probe = try SystemProbeRun(
      commands: ["adopt=hello", "shell=test -z \"$NOTIFY_SOCKET$WATCHDOG_USEC$WATCHDOG_PID\""],
      environment: [
        "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1",
      ])
    #expect(probe["adopt=hello"] == "done")
    #expect(manager.messages == ["STATUS=hello"])
    #expect(probe["shell=test -z \"$NOTIFY_SOCKET$WATCHDOG_USEC$WATCHDOG_PID\""] == "0")
  }
}
