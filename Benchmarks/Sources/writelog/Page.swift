import LogWriting
import VarnishLog

/// The records of a request for a page, and the line that a server would write instead.
enum Page {
  /// The records of one transaction.
  static let records: [(Tag, StaticString)] = [
    (.begin, "req 1000 rxreq"),
    (.timestamp, "Start: 1700000000.123456 0.000000 0.000000"),
    (.timestamp, "Req: 1700000000.123456 0.000000 0.000000"),
    (.reqStart, "192.0.2.17 51234 a0"),
    (.reqMethod, "GET"),
    (.reqURL, "/shop/articles/lamps/brass-table-lamp-with-shade?variant=3&ref=mail"),
    (.reqProtocol, "HTTP/1.1"),
    (.reqHeader, "Host: shop.example.com"),
    (.reqHeader, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (.reqHeader, "Referer: https://shop.example.com/shop/articles/lamps"),
    (.respStatus, "200"),
    (.timestamp, "Resp: 1700000000.125000 0.001544 0.001544"),
    (.reqAcct, "412 0 412 287 18233 18520"),
    (.end, ""),
  ]

  /// The same request as a line of an access log.
  static let line = Array(
    """
    192.0.2.17 - - [14/Nov/2023:22:13:20 +0000] "GET http://shop.example.com/shop/articles/lamps/brass-table-\
    lamp-with-shade?variant=3&ref=mail HTTP/1.1" 200 18233 "https://shop.example.com/shop/articles/lamps" \
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

    """.utf8)
}
