/// A client with one connection, and its properties, which are the same for all of its requests.
struct Visitor {
  /// The protocol of the connection.
  enum Transport {
    case http1, http2
  }

  /// A program that makes requests, with the name by which it identifies itself.
  struct Agent {
    let name: String
    /// Whether it sends `Referer` and keeps cookies.
    var isBrowser = true
    /// Whether it probes for vulnerabilities.
    var isProbing = false
  }

  let address: String
  let port: Int
  let agent: Agent
  let transport: Transport
  let language: String
  let cookie: String?
  /// The number of its requests.
  let requestCount: Int

  init(_ random: inout SeededRandom) {
    // Addresses that are reserved for documentation.
    address =
      random.chance(80)
      ? random.pick(["198.51.100.", "203.0.113."]) + String(random.number(in: 1..<255))
      : "2001:db8:\(random.hexadecimal(4)):\(random.hexadecimal(3))::\(random.number(in: 1..<99))"
    port = random.number(in: 10_240..<65_535)
    agent = random.chance(86) ? random.pick(Self.browsers) : random.pick(Self.others)
    transport = agent.isBrowser && random.chance(45) ? .http2 : .http1
    language = random.pick(Self.languages)
    cookie = agent.isBrowser && random.chance(75) ? "session=\(random.hexadecimal(24)); consent=1" : nil
    requestCount = agent.isBrowser ? random.number(in: 1..<18) : random.number(in: 1..<4)
  }

  private static let browsers = [
    Agent(name: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    Agent(
      name: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
        + "Safari/537.36"),
    Agent(
      name: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        + "Version/26.1 Mobile/15E148 Safari/604.1"),
    Agent(
      name: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        + "Version/26.0 Safari/605.1.15"),
    Agent(
      name: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
        + "Mobile Safari/537.36"),
  ]

  private static let others = [
    Agent(
      name: "Mozilla/5.0 (compatible; Examplebot/2.1; +http://www.example.net/bot.html)", isBrowser: false),
    Agent(name: "curl/8.14.1", isBrowser: false),
    Agent(name: "Teekännchen/1.0 (\"smart\" kettle; 日本語)", isBrowser: false),
    Agent(name: "-", isBrowser: false),
    Agent(name: "python-requests/2.32.5", isBrowser: false, isProbing: true),
    Agent(name: "() { :;}; echo \\x41", isBrowser: false, isProbing: true),
  ]

  private static let languages = ["en-GB,en;q=0.9", "de-DE,de;q=0.9,en;q=0.7", "sv,en;q=0.5", "ja;q=0.9"]
}
