import CShims
import Glibc
import Platform
import TestSupport
import Testing

@Suite struct StatusSocketTests {
  private let directory: TemporaryDirectory
  private var path: String { directory.file("status") }
  private static let second: Int64 = 1_000_000_000

  init() throws { directory = try TemporaryDirectory() }

  /// A socket with a time limit for clients that no test reaches, unless a test sets another.
  private func serve(
    clientNanoseconds: Int64 = 600 * second, clientsMax: Int = 16,
    document: @escaping @Sendable (StatusRequest) -> [UInt8] = { Array("\($0)\n".utf8) }
  ) throws -> StatusSocket {
    var options = StatusSocket.Options()
    options.clientNanoseconds = clientNanoseconds
    options.clientsMax = clientsMax
    return try StatusSocket(path: path, options: options, document: document)
  }

  private func ask(
    _ request: StatusRequest = .json, seconds: Int64 = 60, bytesMax: Int = 1 << 24
  ) throws(StatusClientError) -> String {
    let answer = try StatusClient.ask(
      request, at: path, nanoseconds: seconds * Self.second, bytesMax: bytesMax)
    return String(decoding: answer, as: UTF8.self)
  }

  // MARK: What is answered

  @Test func `a client gets the document it asks for`() throws {
    let socket = try serve()
    #expect(try ask(.json) == "json\n")
    #expect(try ask(.table) == "table\n")
    withExtendedLifetime(socket) {}
  }

  @Test(arguments: [
    ("json\n", "json\n"), ("table\r\n", "table\n"), ("", "json\n"), ("json", "json\n"), ("table", "table\n"),
    ("jso\n", "error: expected a line, json or table\n"), ("\n", "error: expected a line, json or table\n"),
    ("\u{0}\u{1b}[2J\n", "error: expected a line, json or table\n"),
    (
      "POST / HTTP/1.1\r\n\r\n",
      "HTTP/1.0 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ),
  ])
  func `a request is a line, or the end of what is sent`(request: String, answer: String) throws {
    let socket = try serve()
    let peer = try StatusPeer(path)
    peer.send(request)
    peer.endSending()
    #expect(try peer.readToEnd() == answer)
    withExtendedLifetime(socket) {}
  }

  @Test func `a client of HTTP is answered when it has said everything, however it is cut`() throws {
    let socket = try serve()
    let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
    for cut in 0...request.utf8.count {
      let peer = try StatusPeer(path)
      peer.send(String(request.utf8.prefix(cut)) ?? "")
      // Serving another client in between shows that the first half has been read.
      if cut % 16 == 0 { #expect(try ask() == "json\n") }
      peer.send(String(request.utf8.dropFirst(cut)) ?? "")
      let answer = try peer.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"))
      #expect(answer.hasSuffix("\r\n\r\njson\n"))
    }
    withExtendedLifetime(socket) {}
  }

  @Test func `a document of any length arrives whole`() throws {
    let text = String(repeating: "0123456789abcdef", count: 1 << 18)
    let socket = try serve { _ in Array(text.utf8) }
    #expect(try ask() == text)
    #expect(throws: StatusClientError.tooLong(path, bytesMax: 1000)) { try ask(bytesMax: 1000) }
    withExtendedLifetime(socket) {}
  }

  // MARK: Misbehaviour

  @Test(arguments: ["", "tab", "GET / HTTP/1.1\r\nHost: "])
  func `a client that doesn't finish its request is dropped at its deadline`(part: String) throws {
    let socket = try serve(clientNanoseconds: Self.second / 10)
    let peer = try StatusPeer(path)
    peer.send(part)
    #expect(try peer.readToEnd() == "")
    withExtendedLifetime(socket) {}
  }

  @Test func `a client that doesn't read its answer holds up nobody`() throws {
    let socket = try serve { request in
      [UInt8](repeating: UInt8(ascii: "x"), count: request == .table ? 64 << 20 : 4)
    }
    let peer = try StatusPeer(path)
    peer.send("table\n")
    for _ in 0..<100 { #expect(try ask() == "xxxx") }
    withExtendedLifetime((socket, peer)) {}
  }

  @Test func `a client that doesn't read its answer is dropped at its deadline`() throws {
    let byteCount = 64 << 20
    let socket = try serve(clientNanoseconds: Self.second / 10) { _ in
      [UInt8](repeating: 0x78, count: byteCount)
    }
    let peer = try StatusPeer(path)
    peer.send("json\n")
    try peer.waitForEnd()
    #expect(try peer.readToEnd().utf8.count < byteCount)
    withExtendedLifetime(socket) {}
  }

  @Test func `a client that sends without end is dropped at once`() throws {
    let socket = try serve()
    let peer = try StatusPeer(path)
    let piece = String(repeating: "x", count: 64 << 10)
    var sent = 0
    while sent < 64 << 20 {
      let count = peer.send(piece)
      if count < 0, errno != EAGAIN { break }
      sent += max(0, count)
    }
    #expect(sent < 1 << 20)
    #expect(try ask() == "json\n")
    withExtendedLifetime(socket) {}
  }

  @Test func `a client that leaves in the midst harms nothing`() throws {
    let socket = try serve { _ in [UInt8](repeating: 0x78, count: 8 << 20) }
    for part in ["", "js", "json\n"] {
      for _ in 0..<20 { try StatusPeer(path).send(part) }
    }
    #expect(try ask().utf8.count == 8 << 20)
    withExtendedLifetime(socket) {}
  }

  @Test func `when all places are taken, the client that has been silent for longest is dropped`() throws {
    let socket = try serve(clientsMax: 3)
    let silent = try (0..<3).map { _ in try StatusPeer(path) }
    #expect(try ask() == "json\n")
    #expect(try silent[0].readToEnd() == "")
    for peer in silent[1...] {
      peer.send("table\n")
      #expect(try peer.readToEnd() == "table\n")
    }
    withExtendedLifetime(socket) {}
  }

  @Test func `clients that wait for their answer aren't dropped for one that comes`() throws {
    let socket = try serve(clientsMax: 1) { _ in [UInt8](repeating: 0x78, count: 8 << 20) }
    let first = try StatusPeer(path)
    first.send("json\n")
    let second = try StatusPeer(path)
    second.send("json\n")
    #expect(try first.readToEnd().utf8.count == 8 << 20)
    #expect(try second.readToEnd().utf8.count == 8 << 20)
    withExtendedLifetime(socket) {}
  }

  // MARK: The file

  @Test func `the file has its permissions, and is gone at the end`() throws {
    var options = StatusSocket.Options()
    options.mode = 0o620
    var socket: StatusSocket? = try StatusSocket(path: path, options: options) { _ in [] }
    var status = stat()
    #expect(lstat(path, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o620)
    withExtendedLifetime(socket) {}
    socket = nil
    #expect(lstat(path, &status) != 0)
    #expect(throws: StatusClientError.noSocket(path)) { try ask() }
  }

  @Test func `what a process that has ended has left is replaced`() throws {
    try leaveSocket()
    #expect(throws: StatusClientError.refused(path)) { try ask() }
    let socket = try serve()
    #expect(try ask() == "json\n")
    withExtendedLifetime(socket) {}
  }

  @Test func `a socket that is answered is not replaced`() throws {
    let socket = try serve()
    #expect(throws: SocketFileError.inUse(path)) { _ = try serve() }
    #expect(try ask() == "json\n")
    withExtendedLifetime(socket) {}
  }

  @Test func `a file and a link that have the name are not replaced`() throws {
    try writeFile(path, "mine".utf8)
    #expect(throws: SocketFileError.foreign(path, "a file")) { _ = try serve() }
    #expect(try readText(path) == "mine")
    unlink(path)
    symlink(directory.file("elsewhere"), path)
    #expect(throws: SocketFileError.foreign(path, "a symbolic link")) { _ = try serve() }
  }

  @Test func `the file of one that came later is left alone`() throws {
    var first: StatusSocket? = try serve()
    withExtendedLifetime(first) {}
    unlink(path)
    let second = try serve()
    first = nil
    #expect(try ask() == "json\n")
    withExtendedLifetime(second) {}
  }

  @Test func `a path that no socket can have is refused`() throws {
    let long = directory.file(String(repeating: "x", count: 200))
    #expect(throws: SocketFileError.tooLong(long)) { _ = try StatusSocket(path: long) { _ in [] } }
    let lost = directory.file("missing/status")
    let error = #expect(throws: SocketFileError.self) { _ = try StatusSocket(path: lost) { _ in [] } }
    #expect(error?.description.hasPrefix("\(lost): create: No such file or directory") == true)
  }

  // MARK: The client

  @Test func `a server that says nothing is given up`() throws {
    let descriptor = shim_stream_socket()
    defer { close(descriptor) }
    #expect(shim_bind_local(descriptor, path, 0o600) == 0)
    #expect(listen(descriptor, 0) == 0)
    #expect(throws: StatusClientError.timedOut(path)) {
      try StatusClient.ask(.json, at: path, nanoseconds: Self.second / 20)
    }
    // The queue of waiting connections is full by now.
    #expect(throws: StatusClientError.timedOut(path)) {
      try StatusClient.ask(.json, at: path, nanoseconds: Self.second / 20)
    }
  }

  @Test func `an answer of nothing is none`() throws {
    let socket = try serve { _ in [] }
    #expect(throws: StatusClientError.noAnswer(path)) { try ask() }
    withExtendedLifetime(socket) {}
  }

  /// Leaves a socket's file at which no process listens.
  private func leaveSocket() throws {
    let descriptor = shim_stream_socket()
    guard shim_bind_local(descriptor, path, 0o600) == 0 else { throw SupportError("bind", errno: errno) }
    close(descriptor)
  }
}
