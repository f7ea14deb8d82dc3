/// The sites behind the cache: a shop, its images, its API, and videos.
enum Site {
  static let shop = "www.example.com"
  static let assets = "static.example.com"
  static let api = "api.example.com"
  static let films = "films.example.org"

  /// Draws the resource that a visitor requests next.
  static func draw(_ visitor: Visitor, _ random: inout SeededRandom) -> Resource {
    if visitor.agent.isProbing, random.chance(70) { return probe(&random) }
    switch random.number(in: 0..<100) {
    case 0..<20: return page(&random)
    case 20..<56: return asset(&random)
    case 56..<70: return call(visitor, &random)
    case 70..<78: return film(&random)
    case 78..<82: return search(&random)
    case 82..<86: return moved(&random)
    case 86..<89: return stock(&random)
    case 89..<91 where visitor.transport == .http1: return chat(&random)
    case 91..<96: return tips(&random)
    case 96..<97: return forbidden(&random)
    default: return missing(&random)
    }
  }

  private static func page(_ random: inout SeededRandom) -> Resource {
    let number = random.popular(80)
    let url =
      switch number {
      case 0..<3: "/"
      case 3..<24: "/c/" + categories[number % categories.count]
      default: "/p/\(1000 + number)-" + products[number % products.count]
      }
    var page = Resource(
      host: shop, url: url, type: .page, backend: random.pick([.web1, .web2]), byteCount: 0)
    page.byteCount = size(of: page, in: 8_000..<60_000)
    guard number % 2 == 0 else { return page }
    // Each user has another basket, so the cache never keeps it.
    page.fragments = [
      fragment("/esi/navigation"), fragment("/esi/basket", .pass), fragment("/esi/teaser/\(number % 5)"),
    ]
    return page
  }

  private static func fragment(_ url: String, _ handling: Resource.Handling = .cache) -> Resource {
    var fragment = Resource(
      host: shop, url: url, type: .page, handling: handling, backend: .web1, byteCount: 0)
    fragment.byteCount = size(of: fragment, in: 200..<4_000)
    return fragment
  }

  private static func asset(_ random: inout SeededRandom) -> Resource {
    let number = random.popular(140)
    let (url, type, sizes): (String, ContentType, Range<Int>) =
      switch number % 10 {
      case 0: ("/css/shop.\(number).css", .style, 4_000..<90_000)
      case 1, 2: ("/js/bundle-\(number).js", .script, 9_000..<400_000)
      case 3: ("/fonts/inter-\(number % 4 * 100 + 400).woff2", .font, 20_000..<50_000)
      default: ("/img/\(number)/\(products[number % products.count]).avif", .image, 3_000..<250_000)
      }
    var asset = Resource(host: assets, url: url, type: type, backend: .assets, byteCount: 0)
    asset.byteCount = size(of: asset, in: sizes)
    return asset
  }

  private static func call(_ visitor: Visitor, _ random: inout SeededRandom) -> Resource {
    let (method, url) =
      switch random.number(in: 0..<5) {
      case 0: ("POST", "/v2/basket/items")
      case 1: ("PUT", "/v2/basket/items/\(random.number(in: 1..<6))")
      case 2: ("DELETE", "/v2/basket/items/\(random.number(in: 1..<6))")
      case 3: ("GET", "/v2/orders?limit=20&offset=\(random.number(in: 0..<5) * 20)")
      default: ("GET", "/v2/customers/me")
      }
    let status =
      switch random.number(in: 0..<40) {
      case 0: 500
      case 1: 401
      case 2: 422
      default: method == "POST" ? 201 : method == "DELETE" ? 204 : 200
      }
    return Resource(
      host: api, url: url, type: .data, handling: .pass, backend: .api, method: method, status: status,
      byteCount: status == 204 ? 0 : random.number(in: 60..<6_000))
  }

  private static func film(_ random: inout SeededRandom) -> Resource {
    let number = random.popular(9)
    var film = Resource(
      host: films, url: "/trailer/\(number)/\(random.pick(["720p", "1080p"])).mp4", type: .video,
      backend: .media, byteCount: 0)
    film.byteCount = size(of: film, in: 4_000_000..<90_000_000)
    return film
  }

  private static func search(_ random: inout SeededRandom) -> Resource {
    let words = random.pick(["caf%C3%A9", "gr%C3%BCner+tee", "%E6%8A%B9%E8%8C%B6", "t-shirt+xl", "sm%C3%B8r"])
    return Resource(
      host: shop, url: "/search?q=\(words)&page=\(random.number(in: 1..<4))", type: .page,
      backend: random.pick([.web1, .web2]), byteCount: random.number(in: 9_000..<40_000))
  }

  private static func moved(_ random: inout SeededRandom) -> Resource {
    let category = random.pick(categories)
    let (status, location) =
      random.chance(60) ? (301, "https://\(shop)/c/\(category)") : (302, "https://\(shop)/login")
    return Resource(
      host: shop, url: status == 301 ? "/category.php?name=\(category)" : "/account", type: .page,
      handling: .synth(status: status, location: location), backend: .web1, byteCount: 0)
  }

  private static func stock(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: "/stock/\(1000 + random.number(in: 0..<60))", type: .data, handling: .restart,
      backend: .web2, byteCount: random.number(in: 80..<300))
  }

  private static func chat(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: "/chat/socket?room=\(random.number(in: 1..<9))", type: .data, handling: .pipe,
      backend: .web1, byteCount: random.number(in: 300..<60_000))
  }

  private static func tips(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: "/tips?product=\(1000 + random.number(in: 0..<400))", type: .data, backend: .tips,
      byteCount: random.number(in: 400..<2_500))
  }

  private static func forbidden(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: "/admin/", type: .page, handling: .synth(status: 403, location: nil), backend: .web1,
      byteCount: 0)
  }

  private static func missing(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: "/p/\(random.number(in: 1..<999))-sold-out", type: .page, backend: .web1, status: 404,
      byteCount: 1_247)
  }

  private static func probe(_ random: inout SeededRandom) -> Resource {
    Resource(
      host: shop, url: random.pick(["/wp-login.php", "/.env", "/.git/config", "/xmlrpc.php"]), type: .page,
      backend: .web1, status: 404, byteCount: 1_247)
  }

  /// A resource's size, the same for every request.
  private static func size(of resource: Resource, in range: Range<Int>) -> Int {
    range.lowerBound + Int(resource.fingerprint % UInt64(range.count))
  }

  private static let categories = ["tea", "coffee", "cups", "books", "kettles", "gifts", "sale"]
  private static let products = [
    "sencha", "teapot", "espresso-cup", "filter-papers", "matcha-whisk", "kettle", "honey", "tin",
  ]
}
