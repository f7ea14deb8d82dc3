/// A query, and whether it selects a sample request.
struct MatchCase: Sendable {
  let query: String
  let matches: Bool
  var isCaseless = false

  /// The request.
  static let lines = """
    2 c Begin req 1 rxreq
    2 c Timestamp Start: 1700000000.123456 0.000000 0.000000
    2 c ReqStart 192.0.2.1 51234 http/1
    2 c ReqMethod GET
    2 c ReqURL /path/x?q=1&r=2
    2 c ReqHeader Host: example.com
    2 c ReqHeader User-Agent: UA/1.0 "quoted"
    2 c ReqHeader X-Two: first
    2 c VCL_call RECV
    2 c ReqHeader X-Two: second
    2 c Link bereq 3 fetch
    2 c RespStatus 200
    2 c RespReason OK
    2 c Timestamp Resp: 1700000001.623456 1.500000 1.390000
    2 c ReqAcct 81 5 86 236 9 245
    2 c End
    """

  private static func yes(_ queries: String...) -> [MatchCase] {
    queries.map { MatchCase(query: $0, matches: true) }
  }

  private static func no(_ queries: String...) -> [MatchCase] {
    queries.map { MatchCase(query: $0, matches: false) }
  }

  private static func caseless(_ matches: Bool, _ queries: String...) -> [MatchCase] {
    queries.map { MatchCase(query: $0, matches: matches, isCaseless: true) }
  }

  static let all: [MatchCase] =
    yes(
      "ReqMethod", "Re*", "*", #""*""#, "*URL", "R*URL", "reqm", "REQURL ~ path", "ReqMethod,ReqURL",
      "ReqMethod ,\tReqURL", #""ReqMethod" , ReqURL ~ path"#, "Hit,ReqMethod", "resp*,Hit == 200")
    + no("Hit", "Debug", "ReqStatus", "Obj*", "Hit,HitMiss ~ .")
    + yes(
      "{1}ReqMethod", "{1-}ReqMethod", "{1+}ReqMethod", "{2-}ReqMethod", "{0+}ReqMethod",
      "{0x1}ReqMethod", "{01}ReqMethod", "{+1}ReqMethod", #"{"1"}ReqMethod"#, "{+}ReqMethod",
      "{4294967297}ReqMethod", "{1- }ReqMethod")
    + no(
      "{2}ReqMethod", "{0}ReqMethod", "{2+}ReqMethod", "{0-}ReqMethod", "{-}ReqMethod",
      #"{""}ReqMethod"#)
    + yes(
      "ReqHeader:host eq example.com", "ReqHeader:HOST", #"ReqHeader:"Host""#,
      "ReqHeader:Host[1] eq example.com", #""ReqHeader":Host"#, "ReqHeader[1]", "ReqHeader[1] eq 'Host:'",
      "ReqHeader:x-two eq first", "ReqHeader:x-two eq second", #"ReqHeader:"X-Two" ne first"#,
      #"ReqHeader:User-Agent ~ "\"quoted\"""#, #"ReqHeader:User-Agent ~ '"quoted"'"#,
      "ReqHeader:User-Agent[2] eq quoted", "ReqHeader[4294967297]", "ReqHeader[+01]")
    + no(
      "ReqHeader:hos", "ReqHeader:Host2", #"ReqHeader:"Host:""#, #"ReqHeader:"""#, "ReqHeader[99]",
      "ReqHeader:User-Agent[3]", "ReqHeader:Missing ne x", "ReqHeader:Missing !~ x", "VCL_call:RECV")
    + yes(
      "ReqAcct[3] == 86", "ReqAcct[3] == 86.0", #"ReqAcct[3] == "86""#, "ReqAcct[3] > 0x10",
      "ReqAcct[3] < 0xfff", "ReqAcct[3] == 0126", "ReqAcct[3] eq 86", "ReqAcct[3] >= 86",
      "ReqAcct[3] <= 86", "ReqAcct[3] != 85", #"ReqAcct[3] == " 86 ""#, #"ReqAcct[3] > """#,
      "ReqAcct[3] > -1", "ReqAcct[3] < 99999999999999999999", "RespStatus==200", "RespStatus>100",
      "RespStatus >= 200 and RespStatus < 300", #"RespStatus == "200""#, "ReqHeader[2] != 5 or *")
    + no(
      "ReqAcct[3] eq 086", "ReqAcct[3] == 87", "ReqAcct[3] != 86", "ReqAcct[3] < 86",
      "ReqAcct[3] > 86", "ReqAcct[3] < -99999999999999999999", "RespStatus != 200",
      "not RespStatus == 200", "ReqURL != 0", "ReqURL == 0", "ReqMethod < 1.0", "End == 0", "End != 0")
    + yes("Timestamp:Resp[2] > 1.4", "Timestamp:Resp[2] == 1.5", "Timestamp:Resp[2] == 1")
    + no("Timestamp:Resp[2] > 1", "Timestamp:Resp[2] > 1.5", "Timestamp:Start[2] > 0.0")
    + yes("vxid == 2", "vxid > 1", "vxid>=0x2", "vxid != 3", "vxid > -1", #"vxid == """# + " or vxid == 2")
    + no("vxid != 2", "vxid < 2", "vxid == 4294967298", "vxid == -4294967294")
    + yes(
      "ReqURL ~ path", #"ReqURL ~ "^/path/x\\?q""#, #"ReqURL ~ "(?i)PATH""#, "ReqURL !~ PATH",
      #"ReqURL ~ """#, #"End ~ "^$""#, #"End eq """#, "End", "ReqHeader !~ Host", "VCL_call ~ RECV",
      #"ReqMethod eq "G\ET""#, "ReqMethod eq 'GET'", "VCL_call eq RECV")
    + no("ReqURL ~ PATH", "ReqMethod eq get", "VCL_call eq recv", "ReqURL !~ path", "End ne ''")
    + caseless(
      true, "ReqURL ~ PATH", "ReqMethod eq get", "VCL_call eq Recv", "ReqHeader:HOST eq EXAMPLE.com")
    + caseless(false, "ReqMethod ne get", "ReqURL !~ PATH", "ReqMethod eq ge")
    + yes(
      "not Hit", "not(Hit)", "(((ReqMethod)))", "not (not ReqMethod)", "Hit or ReqMethod",
      "ReqMethod or Hit", "ReqMethod and ReqURL", "Hit and Hit or ReqMethod",
      "ReqMethod or Hit and Hit", "not Hit and ReqMethod", "not (Hit and ReqMethod)",
      "not Hit or ReqMethod", "ReqMethod and (Hit or ReqURL)",
      "(Hit or ReqMethod)and(Hit or ReqURL)", "ReqURL ~ x and RespStatus == 200",
      "RespStatus == 500 or ReqURL ~ x", "not ReqURL ~ zzz and RespStatus == 200")
    + no(
      "not ReqMethod", "not(ReqMethod)", "Hit and ReqMethod", "ReqMethod and Hit",
      "(ReqMethod or Hit) and Hit", "not Hit and Hit", "not (Hit or ReqMethod)",
      "ReqMethod eq POST or ReqMethod eq GET and ReqURL ~ foo", "ReqMethod eq GETandReqURL",
      "RespStatus == 500 and ReqURL ~ x", "ReqURL ~ zzz or RespStatus == 500",
      "ReqMethod eq POST and ReqURL ~ x or Hit")
    + yes("Begin[2] == 1", "Begin[3] eq rxreq")
    + no("Begin[4]", "Begin[3] eq restart")
    + yes(
      "ReqMethod eq POST\nRespStatus == 200", "\n\nReqMethod", "# none\nReqMethod # some\n",
      "ReqMethod eq GET # comment", "ReqMethod eq \\\nGET", "ReqMethod eq '#' or ReqURL#\n",
      "Hit\nDebug\nReqURL")
    + no("ReqMethod eq POST\nRespStatus == 500", "ReqMethod eq POST # or ReqMethod", "Hit\n\n#ReqURL")
}
