import Shipping
import TestSupport

/// Makes up formats from the contents of a log.
struct RandomFormat: Sendable {
  private let words: LogWords

  init(_ words: LogWords) { self.words = words }

  /// Some specifiers, separated by bars.
  func make(_ random: inout SeededGenerator) -> String {
    var pieces: [String] = []
    for _ in 0..<Int.random(in: 1...8, using: &random) { pieces.append(piece(&random)) }
    return pieces.joined(separator: "|")
  }

  private func piece(_ random: inout SeededGenerator) -> String {
    let known = words.samples.randomElement(using: &random)
    let header =
      (Bool.random(using: &random) ? known?.prefix.map { String($0.prefix(40)) } : nil)
      ?? pick(
        [
          "Host", "host", "X", "X ", "x", "", "Referer", "User-agent", "Authorization", "Nope", "Xy",
          "X:last",
        ],
        &random)
    let number = Int.random(in: 1...7, using: &random)
    let tag =
      (Bool.random(using: &random) ? known?.tag : nil)
      ?? pick(
        [
          "ReqHeader", "Timestamp", "ReqAcct", "VCL_Log", "Begin", "End", "VCL_call", "RespStatus", "Link",
          "TTL", "reqm", "FetchError", "VSL", "ReqUnset",
        ], &random)
    let prefix = pick(["", ":X", ":Resp", ":start", ":k", ":a:b", ":", ":Host"], &random)
    return pick(
      [
        "%b", "%D", "%h", "%H", "%I", "%l", "%m", "%O", "%q", "%r", "%s", "%t", "%T", "%u", "%U",
        "%{\(header)}i", "%{\(header)}o", "%{sec}t", "%{msec}t", "%{usec}t", "%{msec_frac}t",
        "%{usec_frac}t", "%{%Y-%m-%dT%H:%M:%S}t", "%{s}T", "%{ms}T", "%{us}T",
        "%{Varnish:time_firstbyte}x", "%{Varnish:hitmiss}x/%{Varnish:handling}x",
        "%{Varnish:side}x%{Varnish:vxid}x", "%{VCL_Log:\(pick(["k", "key", "", "K"], &random))}x",
        "%{VSL:\(tag)\(prefix)}x", "%{VSL:\(tag)\(prefix)[\(number)]}x", #"a\tb\"\\c"#, "\u{E9}",
      ], &random)
  }

  private func pick<Element>(
    _ choices: [Element], _ random: inout SeededGenerator
  ) -> Element {
    choices[Int.random(in: choices.indices, using: &random)]
  }
}
