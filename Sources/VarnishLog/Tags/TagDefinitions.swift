/// Everything that is known of one tag.
package struct TagDefinition: Sendable {
  package let tag: Tag
  /// The name as the log's own tools print it.
  package let name: StaticString
  /// The number of the 3.0 tag that says the same; nil if none does.
  ///
  /// In 3.0 the side is told by the connection, so that several tags of later logs are one there.
  package let counterpartIn30: UInt8?
  /// The tag's number by numbering; nil where there is no such tag.
  package let v40: UInt8?, v41: UInt8?, v73: UInt8?, v90: UInt8?
  /// The tag's numbers in logs whose records have the number of a connection in place of a transaction's.
  package let old: OldNumbers
  /// The first release that has it, if that isn't the numbering's first one.
  package let since: VarnishVersion?
  /// The first release of the long-term line 6.0 that has it, if the line got it later than `since` says.
  package let in60: Int?
  /// What releases say of its payload.
  package let flags: TagFlagHistory

  init(
    _ tag: Tag, _ name: StaticString, _ counterpartIn30: UInt8?, _ v40: UInt8?, _ v41: UInt8?,
    _ v73: UInt8?, _ v90: UInt8?, since: VarnishVersion? = nil, in60: Int? = nil,
    flags: TagFlagHistory = .none, old: OldNumbers = OldNumbers(nil, nil, nil)
  ) {
    self.tag = tag
    self.name = name
    self.counterpartIn30 = counterpartIn30
    (self.v40, self.v41, self.v73, self.v90) = (v40, v41, v73, v90)
    self.old = old
    self.since = since
    self.in60 = in60
    self.flags = flags
  }

  /// The tag's number in a numbering; nil if it lacks the tag.
  func number(in numbering: TagNumbering) -> UInt8? {
    switch numbering {
    case .v40: v40
    case .v41: v41
    case .v73: v73
    case .v90: v90
    case .v20: old.v20
    case .v21: old.v21
    case .v30: old.v30
    }
  }

  /// Whether a release knows the tag by name.
  func exists(in version: VarnishVersion) -> Bool {
    // For an old log, tags are asked for by name in the transactions that are made of it.
    let numbering = TagNumbering(of: version)
    guard number(in: numbering.isOld ? .v40 : numbering) != nil else { return false }
    if let in60, version.isLongTerm60 { return version.patch >= in60 }
    return since.map { version >= $0 } ?? true
  }
}

/// The numbers of a tag in 2.0, 2.1 and 3.0 (`vsl-tags.md` 3).
package struct OldNumbers: Sendable {
  package let v20: UInt8?, v21: UInt8?, v30: UInt8?

  init(_ v20: UInt8?, _ v21: UInt8?, _ v30: UInt8?) {
    (self.v20, self.v21, self.v30) = (v20, v21, v30)
  }
}

/// What releases say of a tag's payload, one after the other.
package enum TagFlagHistory: Sendable {
  case none
  case unused
  case unusedBefore70
  case binarySince60
  case binaryThenUnsafe
  case binarySince41ThenUnsafe

  /// What a release says.
  func flag(in version: VarnishVersion) -> TagFlag? {
    switch self {
    case .none: nil
    case .unused: .unused
    case .unusedBefore70: version < VarnishVersion(7, 0, 0) ? .unused : nil
    case .binarySince60: version < VarnishVersion(6, 0, 0) ? nil : .binary
    case .binaryThenUnsafe: version < VarnishVersion(6, 0, 0) ? .binary : .unsafe
    case .binarySince41ThenUnsafe:
      version < VarnishVersion(4, 1, 0) ? nil : Self.binaryThenUnsafe.flag(in: version)
    }
  }
}

extension Tag {
  /// The table of tags: a row for each case, in their order, and nothing is known of a tag elsewhere.
  ///
  /// The numbers were taken from what released versions write; within a numbering tags are only ever
  /// appended (`vsl-tags.md`).
  package static let definitions: [TagDefinition] = [
    // Numbers: what says the same in 3.0; 4.0; 4.1 to 7.2; 7.3 to 8.0; 9.0. Old: 2.0; 2.1; 3.0.
    TagDefinition(.debug, "Debug", 0, 1, 1, 1, 1, flags: .binaryThenUnsafe, old: .init(1, 1, 0)),
    TagDefinition(.error, "Error", 1, 2, 2, 2, 2, old: .init(2, 2, 1)),
    TagDefinition(.cli, "CLI", 2, 3, 3, 3, 3, old: .init(3, 3, 2)),
    TagDefinition(.sessOpen, "SessOpen", 5, 4, 4, 4, 4),
    TagDefinition(.sessClose, "SessClose", 6, 5, 5, 5, 5),
    TagDefinition(.backendOpen, "BackendOpen", 7, 6, 6, 6, 6, old: .init(9, 8, 7)),
    TagDefinition(.backendReuse, "BackendReuse", 9, 7, 7, nil, nil, old: .init(11, 10, 9)),
    TagDefinition(.backendClose, "BackendClose", 10, 8, 8, 7, 7, old: .init(12, 11, 10)),
    TagDefinition(
      .httpGarbage, "HttpGarbage", 11, 9, 9, 8, 10, flags: .binaryThenUnsafe, old: .init(14, 12, 11)),
    TagDefinition(.proxy, "Proxy", nil, nil, 10, 9, 11),
    TagDefinition(.proxyGarbage, "ProxyGarbage", nil, nil, 11, 10, 12),
    TagDefinition(.backend, "Backend", 12, 10, 12, nil, nil, old: .init(16, 13, 12)),
    TagDefinition(.length, "Length", 13, 11, 13, 11, 13, old: .init(17, 14, 13)),
    TagDefinition(.fetchError, "FetchError", 14, 12, 14, 12, 14, old: .init(56, 15, 14)),
    TagDefinition(.reqMethod, "ReqMethod", 15, 13, 15, 13, 15),
    TagDefinition(.reqURL, "ReqURL", 18, 14, 16, 14, 16),
    TagDefinition(.reqProtocol, "ReqProtocol", 19, 15, 17, 15, 17),
    TagDefinition(.reqStatus, "ReqStatus", nil, 16, 18, 16, 18, flags: .unused),
    TagDefinition(.reqReason, "ReqReason", nil, 17, 19, 17, 19, flags: .unused),
    TagDefinition(.reqHeader, "ReqHeader", 20, 18, 20, 18, 20),
    TagDefinition(.reqUnset, "ReqUnset", nil, 19, 21, 19, 21, flags: .unusedBefore70),
    TagDefinition(.reqLost, "ReqLost", nil, 20, 22, 20, 22, flags: .unused),
    TagDefinition(.respMethod, "RespMethod", nil, 21, 23, 21, 23, flags: .unused),
    TagDefinition(.respURL, "RespURL", nil, 22, 24, 22, 24, flags: .unused),
    TagDefinition(.respProtocol, "RespProtocol", 25, 23, 25, 23, 25),
    TagDefinition(.respStatus, "RespStatus", 23, 24, 26, 24, 26),
    TagDefinition(.respReason, "RespReason", 22, 25, 27, 25, 27),
    TagDefinition(.respHeader, "RespHeader", 26, 26, 28, 26, 28),
    TagDefinition(.respUnset, "RespUnset", nil, 27, 29, 27, 29, flags: .unusedBefore70),
    TagDefinition(.respLost, "RespLost", nil, 28, 30, 28, 30, flags: .unused),
    TagDefinition(.bereqMethod, "BereqMethod", 21, 29, 31, 29, 31),
    TagDefinition(.bereqURL, "BereqURL", 24, 30, 32, 30, 32),
    TagDefinition(.bereqProtocol, "BereqProtocol", 25, 31, 33, 31, 33),
    TagDefinition(.bereqStatus, "BereqStatus", nil, 32, 34, 32, 34, flags: .unused),
    TagDefinition(.bereqReason, "BereqReason", nil, 33, 35, 33, 35, flags: .unused),
    TagDefinition(.bereqHeader, "BereqHeader", 26, 34, 36, 34, 36),
    TagDefinition(.bereqUnset, "BereqUnset", nil, 35, 37, 35, 37, flags: .unusedBefore70),
    TagDefinition(.bereqLost, "BereqLost", nil, 36, 38, 36, 38, flags: .unused),
    TagDefinition(.berespMethod, "BerespMethod", nil, 37, 39, 37, 39, flags: .unused),
    TagDefinition(.berespURL, "BerespURL", nil, 38, 40, 38, 40, flags: .unused),
    TagDefinition(.berespProtocol, "BerespProtocol", 19, 39, 41, 39, 41),
    TagDefinition(.berespStatus, "BerespStatus", 17, 40, 42, 40, 42),
    TagDefinition(.berespReason, "BerespReason", 16, 41, 43, 41, 43),
    TagDefinition(.berespHeader, "BerespHeader", 20, 42, 44, 42, 44),
    TagDefinition(.berespUnset, "BerespUnset", nil, 43, 45, 43, 45, flags: .unusedBefore70),
    TagDefinition(.berespLost, "BerespLost", nil, 44, 46, 44, 46, flags: .unused),
    TagDefinition(.objMethod, "ObjMethod", nil, 45, 47, 45, 47, flags: .unused),
    TagDefinition(.objURL, "ObjURL", 30, 46, 48, 46, 48, flags: .unused, old: .init(33, 31, 30)),
    TagDefinition(.objProtocol, "ObjProtocol", 31, 47, 49, 47, 49, old: .init(34, 32, 31)),
    TagDefinition(.objStatus, "ObjStatus", 29, 48, 50, 48, 50, old: .init(32, 30, 29)),
    TagDefinition(.objReason, "ObjReason", 28, 49, 51, 49, 51),
    TagDefinition(.objHeader, "ObjHeader", 32, 50, 52, 50, 52, old: .init(35, 33, 32)),
    TagDefinition(.objUnset, "ObjUnset", nil, 51, 53, 51, 53, flags: .unusedBefore70),
    TagDefinition(.objLost, "ObjLost", nil, 52, 54, 52, 54, flags: .unused),
    TagDefinition(.bogoHeader, "BogoHeader", nil, 53, 55, 53, 55),
    TagDefinition(.lostHeader, "LostHeader", 33, 54, 56, 54, 56, old: .init(36, 34, 33)),
    TagDefinition(.ttl, "TTL", 34, 55, 57, 55, 57, old: .init(37, 35, 34)),
    TagDefinition(.fetchBody, "Fetch_Body", 35, 56, 58, 56, 58, old: .init(nil, 51, 35)),
    TagDefinition(.vclACL, "VCL_acl", 36, 57, 59, 57, 59, old: .init(38, 36, 36)),
    TagDefinition(.vclCall, "VCL_call", 37, 58, 60, 58, 60, old: .init(39, 37, 37)),
    TagDefinition(.vclTrace, "VCL_trace", 38, 59, 61, 59, 61, old: .init(40, 38, 38)),
    TagDefinition(.vclReturn, "VCL_return", 39, 60, 62, 60, 62, old: .init(41, 39, 39)),
    TagDefinition(.reqStart, "ReqStart", 41, 61, 63, 61, 63, old: .init(44, 41, 41)),
    TagDefinition(.hit, "Hit", 42, 62, 64, 62, 64, old: .init(45, 42, 42)),
    TagDefinition(.hitPass, "HitPass", 43, 63, 65, 63, 65, old: .init(46, 43, 43)),
    TagDefinition(.expBan, "ExpBan", 44, 64, 66, 64, 66, old: .init(47, 44, 44)),
    TagDefinition(.expKill, "ExpKill", 45, 65, 67, 65, 67, old: .init(49, 45, 45)),
    TagDefinition(.workThread, "WorkThread", 46, 66, 68, 66, 68, old: .init(50, 46, 46)),
    TagDefinition(.esiXMLError, "ESI_xmlerror", 47, 67, 69, 67, 69, old: .init(53, 47, 47)),
    TagDefinition(.hash, "Hash", 48, 68, 70, 68, 70, flags: .binarySince41ThenUnsafe, old: .init(54, 48, 48)),
    TagDefinition(.backendHealth, "Backend_health", 49, 69, 71, 69, 71, old: .init(55, 49, 49)),
    TagDefinition(.vclLog, "VCL_Log", 50, 70, 72, 70, 72, old: .init(nil, 50, 50)),
    TagDefinition(.vclError, "VCL_Error", 40, 71, 73, 71, 73),
    TagDefinition(.gzip, "Gzip", 51, 72, 74, 72, 74, old: .init(nil, nil, 51)),
    TagDefinition(.link, "Link", nil, 73, 75, 73, 75),
    TagDefinition(.begin, "Begin", nil, 74, 76, 74, 76),
    TagDefinition(.end, "End", nil, 75, 77, 75, 77),
    TagDefinition(.vsl, "VSL", nil, 76, 78, 76, 78),
    TagDefinition(.storage, "Storage", nil, 77, 79, 77, 79),
    TagDefinition(.timestamp, "Timestamp", nil, 78, 80, 78, 80),
    TagDefinition(.reqAcct, "ReqAcct", nil, 79, 81, 79, 81),
    TagDefinition(.pipeAcct, "PipeAcct", nil, 81, 82, 80, 82),
    TagDefinition(.bereqAcct, "BereqAcct", nil, 82, 83, 81, 83),
    TagDefinition(.vfpAcct, "VfpAcct", nil, nil, 84, 82, 84),
    TagDefinition(.witness, "Witness", nil, nil, 85, 83, 85),
    TagDefinition(.backendStart, "BackendStart", nil, nil, 86, nil, nil, since: .init(4, 1, 3)),
    TagDefinition(.h2RxHdr, "H2RxHdr", nil, nil, 87, 84, 86, since: .init(5, 0, 0), flags: .binarySince60),
    TagDefinition(.h2RxBody, "H2RxBody", nil, nil, 88, 85, 87, since: .init(5, 0, 0), flags: .binarySince60),
    TagDefinition(.h2TxHdr, "H2TxHdr", nil, nil, 89, 86, 88, since: .init(5, 0, 0), flags: .binarySince60),
    TagDefinition(.h2TxBody, "H2TxBody", nil, nil, 90, 87, 89, since: .init(5, 0, 0), flags: .binarySince60),
    TagDefinition(.hitMiss, "HitMiss", nil, nil, 91, 88, 90, since: .init(5, 1, 0)),
    TagDefinition(.filters, "Filters", nil, nil, 92, 89, 91, since: .init(6, 1, 0), in60: 4),
    TagDefinition(.sessError, "SessError", nil, nil, 93, 90, 92, since: .init(6, 1, 0), in60: 4),
    TagDefinition(.vclUse, "VCL_use", nil, nil, 94, 91, 93, since: .init(6, 2, 0), in60: 4),
    TagDefinition(.notice, "Notice", nil, nil, 95, 92, 94, since: .init(6, 4, 0), in60: 7),
    TagDefinition(.vdpAcct, "VdpAcct", nil, nil, 96, 93, 95, since: .init(6, 6, 0)),
    TagDefinition(.esiBodyBytes, "ESI_BodyBytes", nil, 80, nil, nil, nil),
    TagDefinition(.backendSSL, "BackendSSL", nil, nil, nil, nil, 8),
    TagDefinition(.tls, "TLS", nil, nil, nil, nil, 9),
    TagDefinition(.reqTarget, "ReqTarget", nil, nil, nil, nil, 96),
    // What 2.0 to 3.0 alone have.
    TagDefinition(.statSess, "StatSess", nil, nil, nil, nil, nil, old: .init(5, 4, 3)),
    TagDefinition(.reqEnd, "ReqEnd", nil, nil, nil, nil, nil, old: .init(6, 5, 4)),
    TagDefinition(.sessionOpen, "SessionOpen", nil, nil, nil, nil, nil, old: .init(7, 6, 5)),
    TagDefinition(.sessionClose, "SessionClose", nil, nil, nil, nil, nil, old: .init(8, 7, 6)),
    TagDefinition(.backendXID, "BackendXID", nil, nil, nil, nil, nil, old: .init(10, 9, 8)),
    TagDefinition(.rxRequest, "RxRequest", nil, nil, nil, nil, nil, old: .init(18, 16, 15)),
    TagDefinition(.rxResponse, "RxResponse", nil, nil, nil, nil, nil, old: .init(19, 17, 16)),
    TagDefinition(.rxStatus, "RxStatus", nil, nil, nil, nil, nil, old: .init(20, 18, 17)),
    TagDefinition(.rxURL, "RxURL", nil, nil, nil, nil, nil, old: .init(21, 19, 18)),
    TagDefinition(.rxProtocol, "RxProtocol", nil, nil, nil, nil, nil, old: .init(22, 20, 19)),
    TagDefinition(.rxHeader, "RxHeader", nil, nil, nil, nil, nil, old: .init(23, 21, 20)),
    TagDefinition(.txRequest, "TxRequest", nil, nil, nil, nil, nil, old: .init(24, 22, 21)),
    TagDefinition(.txResponse, "TxResponse", nil, nil, nil, nil, nil, old: .init(25, 23, 22)),
    TagDefinition(.txStatus, "TxStatus", nil, nil, nil, nil, nil, old: .init(26, 24, 23)),
    TagDefinition(.txURL, "TxURL", nil, nil, nil, nil, nil, old: .init(27, 25, 24)),
    TagDefinition(.txProtocol, "TxProtocol", nil, nil, nil, nil, nil, old: .init(28, 26, 25)),
    TagDefinition(.txHeader, "TxHeader", nil, nil, nil, nil, nil, old: .init(29, 27, 26)),
    TagDefinition(.objRequest, "ObjRequest", nil, nil, nil, nil, nil, old: .init(30, 28, 27)),
    TagDefinition(.objResponse, "ObjResponse", nil, nil, nil, nil, nil, old: .init(31, 29, 28)),
    TagDefinition(.vclErrorOld, "VCL_error", nil, nil, nil, nil, nil, old: .init(42, 40, 40)),
    TagDefinition(.statAddr, "StatAddr", nil, nil, nil, nil, nil, old: .init(4, nil, nil)),
    TagDefinition(.httpError, "HttpError", nil, nil, nil, nil, nil, old: .init(13, nil, nil)),
    TagDefinition(.clientAddr, "ClientAddr", nil, nil, nil, nil, nil, old: .init(15, nil, nil)),
    TagDefinition(.vclInfo, "VCL_info", nil, nil, nil, nil, nil, old: .init(43, nil, nil)),
    TagDefinition(.expPick, "ExpPick", nil, nil, nil, nil, nil, old: .init(48, nil, nil)),
    TagDefinition(.terminate, "Terminate", nil, nil, nil, nil, nil, old: .init(51, nil, nil)),
    TagDefinition(.esiTrace, "ESItrace", nil, nil, nil, nil, nil, old: .init(52, nil, nil)),
  ]
}
