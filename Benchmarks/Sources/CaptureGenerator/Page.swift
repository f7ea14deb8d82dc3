/// The page that a request asks for, and its answer.
struct Page {
  enum Handling { case hit, miss, pass, synth }

  let handling: Handling
  let method: String
  let url: String
  let kind: Kind
  let status: Int
  let reason: String
  let bodyBytes: Int

  struct Kind {
    let type: String
    let accept: String
    let destination: String
  }

  init(_ random: inout SplitMix) {
    let dice = Int.random(in: 0..<100, using: &random)
    handling = dice < 76 ? .hit : dice < 90 ? .miss : dice < 98 ? .pass : .synth
    method = handling == .pass && random.chance(60) ? "POST" : random.chance(2) ? "HEAD" : "GET"
    (url, kind) = Self.target(handling, &random)
    switch handling {
    case .synth: (status, reason) = (301, "Moved Permanently")
    case .hit where random.chance(9): (status, reason) = (304, "Not Modified")
    case .miss where random.chance(4): (status, reason) = (404, "Not Found")
    default: (status, reason) = (200, "OK")
    }
    let hasBody = method != "HEAD" && status != 304 && status != 301
    bodyBytes = hasBody ? Int.random(in: 200..<90_000, using: &random) : 0
  }

  private static func target(_ handling: Handling, _ random: inout SplitMix) -> (String, Kind) {
    let number = Int.random(in: 1..<50_000, using: &random)
    if handling == .pass {
      let action = random.pick(["add", "remove", "view", "checkout"])
      return ("/api/v2/cart/\(action)?item=\(number)&token=\(random.hexadecimal(24))", json)
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4:
      return ("/media/catalog/\(number % 97)/\(random.hexadecimal(12))-800x600.jpg", image)
    case 4: return ("/assets/app-\(random.hexadecimal(8)).js", script)
    case 5: return ("/assets/site-\(random.hexadecimal(8)).css?v=\(number % 40)", style)
    case 6: return ("/search?q=winter+jacket&page=\(number % 30)&sort=price", document)
    default: return ("/article/2023/11/\(number)/a-headline-with-some-words", document)
    }
  }

  private static let image = Kind(
    type: "image/jpeg", accept: "image/avif,image/webp,image/apng,image/*,*/*;q=0.8",
    destination: "image")
  private static let script = Kind(
    type: "application/javascript", accept: "*/*", destination: "script")
  private static let style = Kind(
    type: "text/css", accept: "text/css,*/*;q=0.1", destination: "style")
  private static let json = Kind(
    type: "application/json", accept: "application/json, text/plain, */*", destination: "empty")
  private static let document = Kind(
    type: "text/html; charset=utf-8",
    accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    destination: "document")
}
