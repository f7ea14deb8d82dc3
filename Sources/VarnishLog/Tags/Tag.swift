/// A kind of log record, by its name; its number differs from one generation of logs to the next.
///
/// The cases stand in the order of the 4.1–7.2 numbering, with later inventions at the end. What is known of
/// each of them is a row of `Tag.definitions`.
public enum Tag: UInt8, CaseIterable, Sendable {
  case debug, error, cli, sessOpen, sessClose, backendOpen, backendReuse, backendClose
  case httpGarbage, proxy, proxyGarbage, backend, length, fetchError, reqMethod, reqURL
  case reqProtocol, reqStatus, reqReason, reqHeader, reqUnset, reqLost, respMethod, respURL
  case respProtocol, respStatus, respReason, respHeader, respUnset, respLost, bereqMethod
  case bereqURL, bereqProtocol, bereqStatus, bereqReason, bereqHeader, bereqUnset, bereqLost
  case berespMethod, berespURL, berespProtocol, berespStatus, berespReason, berespHeader
  case berespUnset, berespLost, objMethod, objURL, objProtocol, objStatus, objReason, objHeader
  case objUnset, objLost, bogoHeader, lostHeader, ttl, fetchBody, vclACL, vclCall, vclTrace
  case vclReturn, reqStart, hit, hitPass, expBan, expKill, workThread, esiXMLError, hash
  case backendHealth, vclLog, vclError, gzip, link, begin, end, vsl, storage, timestamp, reqAcct
  case pipeAcct, bereqAcct, vfpAcct, witness, backendStart, h2RxHdr, h2RxBody, h2TxHdr, h2TxBody
  case hitMiss, filters, sessError, vclUse, notice, vdpAcct, esiBodyBytes, backendSSL, tls
  case reqTarget
  case statSess, reqEnd, sessionOpen, sessionClose, backendXID, rxRequest, rxResponse, rxStatus, rxURL
  case rxProtocol, rxHeader, txRequest, txResponse, txStatus, txURL, txProtocol, txHeader, objRequest
  case objResponse, vclErrorOld, statAddr, httpError, clientAddr, vclInfo, expPick, terminate, esiTrace

  private var definition: TagDefinition { Self.definitions[Int(rawValue)] }

  /// The name as the log's own tools print it.
  public var name: String { definition.name.description }

  /// Whether a release knows this tag by name.
  public func exists(in version: VarnishVersion) -> Bool { definition.exists(in: version) }

  /// What a release says of the tag's payload.
  public func flag(in version: VarnishVersion) -> TagFlag? { definition.flags.flag(in: version) }

  /// The number of the 3.0 tag that says the same; nil if none does (`vsl-tags.md` 3).
  package var numberIn30: UInt8? { definition.counterpartIn30 }
}
