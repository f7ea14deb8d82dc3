/// A browser that asks for pages of one site: what stays the same over a session.
struct Visitor {
  let address: String
  let port: Int
  let host: String
  let agent: Agent
  let language: String
  let cookie: String?

  /// A browser's User-Agent value, and whether the browser sends client hints.
  struct Agent {
    let name: String
    let hints: String?
  }

  init(_ random: inout SplitMix) {
    let octets = (0..<3).map { _ in String(Int.random(in: 1..<255, using: &random)) }
    address = "203.\(octets.joined(separator: "."))"
    port = Int.random(in: 1024..<65536, using: &random)
    host = random.pick(Self.hosts)
    agent = random.pick(Self.agents)
    language = random.pick(Self.languages)
    cookie =
      random.chance(70)
      ? "_ga=GA1.2.\(Int.random(in: 100_000_000..<2_000_000_000, using: &random)).1699999000; "
        + "session=\(random.hexadecimal(32)); consent=yes; theme=\(random.pick(["light", "dark"]))"
      : nil
  }

  private static let hosts = ["www.example.com", "shop.example.com", "static.example.net"]

  private static let languages = [
    "en-US,en;q=0.9", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "nb-NO,nb;q=0.9,en;q=0.8",
    "fr-FR,fr;q=0.9",
  ]

  private static let agents = [
    chrome("Windows NT 10.0; Win64; x64", "119.0.0.0", "Windows"),
    chrome("X11; Linux x86_64", "118.0.0.0", "Linux"),
    chrome("Linux; Android 10; K", "119.0.0.0", "Android"),
    Agent(
      name: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/119.0",
      hints: nil),
    Agent(
      name: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
        + "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1", hints: nil),
    Agent(
      name: "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example.org/about.html)",
      hints: nil),
  ]

  private static func chrome(_ system: String, _ version: String, _ platform: String) -> Agent {
    Agent(
      name: "Mozilla/5.0 (\(system)) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/\(version) Safari/537.36",
      hints: platform)
  }
}
