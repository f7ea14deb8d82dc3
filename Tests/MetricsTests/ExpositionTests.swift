@testable import Metrics
import TestSupport
import Testing

/// The text formats in which metrics are exposed.
struct ExpositionTests {
  private static func text(_ families: [MetricFamily], _ form: Exposition.Form = .text) -> String {
    String(decoding: Exposition.bytes(of: families, form), as: UTF8.self)
  }

  @Test func `each form has its own words for the same`() throws {
    let bounds = try BucketBounds(["0.01", "1"])
    let families = [
      MetricFamily("a_total", .counter, "Counted.", [MetricSample(3, [MetricLabel("l", "v")])]),
      MetricFamily("b", .gauge, "Measured.", [MetricSample(.real(0.5))]),
      MetricFamily("c", .foreignCounter, "Others'.", [MetricSample(.whole(.max))]),
      MetricFamily("c_total", .foreignCounter, "All of others'.", [MetricSample(1)]),
      MetricFamily("empty", .gauge, "Nothing."),
      MetricFamily(
        "d_seconds", .histogram, "Times.",
        [MetricSample(.histogram(Histogram(bounds: bounds, counts: [2, 0, 1], microseconds: 3_000_007)))]),
    ]
    #expect(
      Self.text(families) == """
        # HELP a_total Counted.
        # TYPE a_total counter
        a_total{l="v"} 3
        # HELP b Measured.
        # TYPE b gauge
        b 0.5
        # HELP c Others'.
        # TYPE c untyped
        c 18446744073709551615
        # HELP c_total All of others'.
        # TYPE c_total counter
        c_total 1
        # HELP d_seconds Times.
        # TYPE d_seconds histogram
        d_seconds_bucket{le="0.01"} 2
        d_seconds_bucket{le="1.0"} 2
        d_seconds_bucket{le="+Inf"} 3
        d_seconds_sum 3.000007
        d_seconds_count 3

        """)
    #expect(
      Self.text(families, .openMetrics) == """
        # HELP a Counted.
        # TYPE a counter
        a_total{l="v"} 3
        # HELP b Measured.
        # TYPE b gauge
        b 0.5
        # HELP c Others'.
        # TYPE c unknown
        c 18446744073709551615
        # HELP c_total All of others'.
        # TYPE c_total unknown
        c_total 1
        # HELP d_seconds Times.
        # TYPE d_seconds histogram
        d_seconds_bucket{le="0.01"} 2
        d_seconds_bucket{le="1.0"} 2
        d_seconds_bucket{le="+Inf"} 3
        d_seconds_sum 3.000007
        d_seconds_count 3
        # EOF

        """)
  }

  @Test func `values and helps stay on their lines whatever is in them`() throws {
    let value = "a\"b\\c\nd } 5\n# EOF\n\u{7F}é"
    let families = [
      MetricFamily("x", .gauge, "One\ntwo \\ \"three\"", [MetricSample(1, [MetricLabel("l", value)])])
    ]
    for (form, isOpen) in [(Exposition.Form.text, false), (.openMetrics, true)] {
      let read = try MetricsText(Self.text(families, form), isOpen: isOpen)
      #expect(read.samples.map(\.labels) == [["l": value]])
    }
    #expect(Self.text(families).contains("# HELP x One\\ntwo \\\\ \"three\"\n"))
    #expect(Self.text(families, .openMetrics).contains("# HELP x One\\ntwo \\\\ \\\"three\\\"\n"))
  }

  @Test(arguments: [
    ("", false), ("*/*", false), ("text/plain", false), ("application/openmetrics-text", true),
    ("application/openmetrics-text; version=1.0.0", true),
    ("application/openmetrics-text; version=0.0.1", false),
    (
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
    ),
    ("application/openmetrics-text;q=0.4,text/plain;q=0.5", false),
    ("application/openmetrics-text;q=0", false), ("application/openmetrics-text;q=x", false),
    (";;;,,=q;\"", false), ("APPLICATION/OpenMetrics-Text;VERSION=1.0.0;q=1", true),
  ])
  func `the form is what the client prefers`(accept: String, isOpen: Bool) {
    #expect((AcceptedForms.best(accept) == .openMetrics) == isOpen)
  }

  @Test func `bounds belong to the buckets below, and are checked`() throws {
    let bounds = BucketBounds.usual
    #expect(bounds.microseconds.prefix(4) == [100, 250, 500, 1000] && bounds.microseconds.last == 10_000_000)
    for (index, bound) in bounds.microseconds.enumerated() {
      #expect(bounds.bucket(of: bound) == index && bounds.bucket(of: bound + 1) == index + 1)
    }
    #expect(bounds.bucket(of: 0) == 0 && bounds.bucket(of: .max) == bounds.bucketCount - 1)
    for texts in [[], ["0"], ["-1"], ["x"], ["1", "1"], ["2", "1"], ["nan"], ["inf"], ["1e9"]] {
      #expect(throws: (any Error).self, "\(texts)") { try BucketBounds(texts) }
    }
    #expect(throws: (any Error).self) { try BucketBounds((1...65).map { "\($0)" }) }
  }
}
