@testable import Shipping
import Testing

@Suite struct SocketAddressTests {
  private static let addresses: [(String, SocketAddress)] = [
    ("unix:/run/log.socket", .unix(path: "/run/log.socket")),
    ("unix:relative:with:colons", .unix(path: "relative:with:colons")),
    ("tcp:loghost:514", .tcp(host: "loghost", port: 514)),
    ("tcp:127.0.0.1:65535", .tcp(host: "127.0.0.1", port: 65535)),
    ("tcp:[::1]:1", .tcp(host: "::1", port: 1)),
  ]

  @Test(arguments: addresses)
  func anAddressIsReadAndSaidAsItIsTyped(text: String, address: SocketAddress) throws {
    #expect(try SocketAddress(text) == address)
    #expect(address.description == text)
  }

  private static let mistakes: [(String, String)] = [
    ("", "is not unix:PATH, tcp:HOST:PORT or tcp:[ADDRESS]:PORT"),
    ("unix:", "is not unix:PATH"),
    ("/run/log.socket", "is not unix:PATH"),
    ("tcp:loghost", "is not unix:PATH"),
    ("tcp:514", "is not unix:PATH"),
    ("tcp::514", "is not unix:PATH"),
    ("tcp:loghost:", "is not unix:PATH"),
    ("tcp:loghost:0", "is not unix:PATH"),
    ("tcp:loghost:65536", "is not unix:PATH"),
    ("tcp:loghost:+5", "is not unix:PATH"),
    ("tcp:loghost:syslog", "is not unix:PATH"),
    ("tcp:::1:514", "needs brackets: tcp:[ADDRESS]:PORT"),
    ("udp:loghost:514", "is not unix:PATH"),
    ("tcp:log host:514", "has something in the host"),
    ("tcp:http://loghost:514", "needs brackets"),
    ("tcp:loghost/x:514", "has something in the host"),
    ("tcp:loghost\n:514", "has something in the host"),
    ("unix:/" + String(repeating: "x", count: 107), "is too long: a socket's path has at most 107 bytes"),
  ]

  @Test(arguments: mistakes)
  func aMistakeIsOneLineThatSaysWhatWasExpected(text: String, problem: String) {
    let error = #expect(throws: OptionValueError.self) { try SocketAddress(text) }
    #expect(error?.description.hasPrefix("\"\(text)\" \(problem)") == true, "\(String(describing: error))")
  }

  private static let receivers: [(String, SocketReceiver)] = [
    ("tcp:loghost:514", SocketReceiver(.tcp(host: "loghost", port: 514))),
    ("tcp:loghost:514,framing=newline", SocketReceiver(.tcp(host: "loghost", port: 514), framing: .newline)),
    ("tcp:[::1]:514,framing=octet-count", SocketReceiver(.tcp(host: "::1", port: 514), framing: .octetCount)),
    ("unix:/run/a,b,framing=null", SocketReceiver(.unix(path: "/run/a,b"), framing: .null)),
    ("unix:/run/a,framing=x,framing=null", SocketReceiver(.unix(path: "/run/a,framing=x"), framing: .null)),
  ]

  @Test(arguments: receivers)
  func aReceiverHasAnAddressAndPerhapsAFraming(text: String, receiver: SocketReceiver) throws {
    #expect(try SocketReceiver(text) == receiver)
  }

  private static let receiverMistakes: [(String, String)] = [
    ("tcp:loghost:514,framing=", "has a framing that is none of newline, octet-count, null"),
    ("tcp:loghost:514,framing=nul", "has a framing that is none of newline, octet-count, null"),
    ("tcp:loghost:514,framing=null,", "has a framing that is none of"),
    ("tcp:loghost:514,octet-count", "is not unix:PATH"),
  ]

  @Test(arguments: receiverMistakes)
  func aFramingThatThereIsNotIsSaid(text: String, problem: String) {
    let error = #expect(throws: OptionValueError.self) { try SocketReceiver(text) }
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
  }
}
