import CShims
package import SharedMemory
public import VarnishLog

/// Where in a live log reading starts.
public enum LogStart: Sendable {
  /// At the oldest record that is still whole.
  case head
  /// Behind the newest record.
  case tail
  /// At a position or, if the log doesn't have it any more, at the oldest record; `LogRing.resumption` says
  /// which.
  case at(LogPosition)
}

/// Where a log lies in a mapping, and which one it is.
package struct RingPlace {
  /// The file, for messages.
  let path: String
  let incarnation: LogIncarnation
  /// The log in the mapping, head included.
  let range: Range<Int>
  /// Where it begins in the file, for messages.
  let fileOffset: Int

  /// A log in a range of a mapping that begins so many bytes behind the beginning of the file.
  package init(
    path: String, incarnation: LogIncarnation, range: Range<Int>, mappedFrom mappingOffset: Int = 0
  ) {
    self.path = path
    self.incarnation = incarnation
    self.range = range
    fileOffset = mappingOffset + range.lowerBound
  }

  /// Says what is wrong with the log's head.
  func damage(_ problem: String) -> LogError {
    .damaged(path: path, offset: fileOffset, problem: problem)
  }
}

/// A live log, by how its ring and its records lie.
public enum LiveRing: ~Copyable {
  /// 4.0.
  case turning(LogRing<NarrowRecords, TurningRingHead>)
  /// 4.1 to 7.2.
  case narrow(LogRing<NarrowRecords, NumberedRingHead>)
  /// 7.3 and newer.
  case wide(LogRing<WideRecords, NumberedRingHead>)
  /// 2.0, 2.1 and 3.0.
  case old20(LegacyRing<Records20>)
  case old21(LegacyRing<Records21>)
  case old30(LegacyRing<Records30>)

  /// Recognises a mapped log of 4.0 or newer by its marker.
  ///
  /// - Returns: nil if the marker isn't there yet; the server stores it last.
  /// - Throws: `LogError.damaged` if it is no log of a known generation.
  package init?(
    _ mapping: consuming ReadOnlyMapping, at place: RingPlace, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) {
    guard place.range.lowerBound >= 0, place.range.upperBound <= mapping.byteCount,
      place.range.count > RingLayout.byteCount
    else { throw place.damage("\(place.range.count) bytes are too few for a log") }
    switch unsafe shim_load_acquire_u64(mapping.base + place.range.lowerBound) {
    case 0: return nil
    case RingLayout.turningMagic:
      guard
        let ring = try LogRing<NarrowRecords, TurningRingHead>(
          mapping, at: place, start: start, stopsAtTail: stopsAtTail)
      else { return nil }
      self = .turning(ring)
    case NarrowRecords.ringMagic:
      guard
        let ring = try LogRing<NarrowRecords, NumberedRingHead>(
          mapping, at: place, start: start, stopsAtTail: stopsAtTail)
      else { return nil }
      self = .narrow(ring)
    case WideRecords.ringMagic:
      guard
        let ring = try LogRing<WideRecords, NumberedRingHead>(
          mapping, at: place, start: start, stopsAtTail: stopsAtTail)
      else { return nil }
      self = .wide(ring)
    default:
      throw place.damage("no marker of a log (VSLHEAD0 to VSLHEAD2)")
    }
  }

  /// What became of the position at which reading was to go on; nil if it didn't begin at a position.
  public var resumption: LogResumption? {
    switch self {
    case .turning(let ring): ring.resumption
    case .narrow(let ring): ring.resumption
    case .wide(let ring): ring.resumption
    case .old20(let ring): ring.resumption
    case .old21(let ring): ring.resumption
    case .old30(let ring): ring.resumption
    }
  }

  /// Which log it is: the file, and the process that writes it.
  public var incarnation: LogIncarnation {
    switch self {
    case .turning(let ring): ring.incarnation
    case .narrow(let ring): ring.incarnation
    case .wide(let ring): ring.incarnation
    case .old20(let ring): ring.incarnation
    case .old21(let ring): ring.incarnation
    case .old30(let ring): ring.incarnation
    }
  }

  /// Whether positions tell how often the log has begun anew: in 2.0 nothing does.
  public var countsTurns: Bool {
    switch self {
    case .old20: false
    default: true
    }
  }

  /// The position of what is read next.
  public var nextPosition: LogPosition {
    switch self {
    case .turning(let ring): ring.nextPosition
    case .narrow(let ring): ring.nextPosition
    case .wide(let ring): ring.nextPosition
    case .old20(let ring): ring.nextPosition
    case .old21(let ring): ring.nextPosition
    case .old30(let ring): ring.nextPosition
    }
  }

  /// Takes over the log of a server before 4.0.
  package init(_ area: consuming LegacyLogArea, start: LogStart, stopsAtTail: Bool) {
    switch area.generation {
    case .v20: self = .old20(LegacyRing(area, start: start, stopsAtTail: stopsAtTail))
    case .v21: self = .old21(LegacyRing(area, start: start, stopsAtTail: stopsAtTail))
    case .v30: self = .old30(LegacyRing(area, start: start, stopsAtTail: stopsAtTail))
    }
  }
}
