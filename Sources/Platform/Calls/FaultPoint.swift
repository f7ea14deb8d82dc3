import Glibc

/// The places between two durable states at which a test kills the process, to see what the next one makes
/// of it.
///
/// In test builds, `SPILLWAY_FAULT_POINT=NAME` in the environment names the place, and `NAME:COUNT` the
/// COUNT-th time that it is passed. In release builds there is nothing of this.
package enum FaultPoint: String, CaseIterable, Sendable {
  /// A rotation is due; what was in memory is in the file.
  case rotationFlushed = "rotation.flushed"
  /// The file is on the disk.
  case rotationSynced = "rotation.synced"
  /// It says that it is finished.
  case rotationNoted = "rotation.noted"
  /// It bears its finished name, if that is another one.
  case rotationRenamed = "rotation.renamed"
  /// So it does on the disk.
  case rotationDirectorySynced = "rotation.directorySynced"
  /// It is closed.
  case rotationClosed = "rotation.closed"
  /// The next one is open, and empty.
  case rotationOpened = "rotation.opened"
  /// The next one says whose it is.
  case rotationMarked = "rotation.marked"
  /// The next one has what every file begins with.
  case rotationBegun = "rotation.begun"
  /// So it is noted for the next run.
  case rotationPlaceNoted = "rotation.placeNoted"
  /// One old file is gone.
  case rotationPruned = "rotation.pruned"
  /// A finished file says that its command has ended.
  case commandNoted = "command.noted"
  /// The link to the next file is there under another name.
  case linkMade = "symlink.made"
  /// The link has its own name.
  case linkRenamed = "symlink.renamed"
  /// It is noted which entries are about to be written.
  case writeNoted = "write.noted"
  /// They are in the file.
  case writeDone = "write.done"
  /// What was written is on the disk.
  case syncDone = "sync.done"
  /// That is noted.
  case syncNoted = "sync.noted"
  /// What an earlier run hadn't finished writing has been cut off.
  case resumeCut = "resume.cut"
  /// How far an output is has been noted.
  case checkpointOutputNoted = "checkpoint.outputNoted"
  /// How the log is read has been noted.
  case checkpointReadingNoted = "checkpoint.readingNoted"
  /// Half of a piece of text is in the file.
  case lineHalfWritten = "line.halfWritten"
  /// Half of a compressed member is in the file.
  case memberHalfWritten = "member.halfWritten"
  /// The first member of a file has taken in the empty one in front of it.
  case memberJoined = "member.joined"
  /// What a kill has torn has been cut off.
  case repairCut = "repair.cut"
  /// A file of a spool is there, and has its header.
  case spoolFileBegun = "spool.fileBegun"
  /// A block's entries are in it, but not what makes them a frame.
  case spoolFrameHalfWritten = "spool.frameHalfWritten"
  /// The frame is whole.
  case spoolFrameWritten = "spool.frameWritten"
  /// How far entries were written is noted.
  case spoolFrameNoted = "spool.frameNoted"
  /// The block's memory may be used again.
  case spoolMemoryFreed = "spool.memoryFreed"
  /// Entries were delivered.
  case spoolDelivered = "spool.delivered"
  /// That is noted.
  case spoolDeliveryNoted = "spool.deliveryNoted"
  /// A file in which nothing is needed is gone.
  case spoolFileRemoved = "spool.fileRemoved"
  /// At the beginning, what was written behind a gap counts as not written.
  case spoolGapNoted = "spool.gapNoted"
  /// A frame behind a gap is none any more.
  case spoolFrameDropped = "spool.frameDropped"
  /// At the end, what wasn't delivered has been written.
  case spoolKept = "spool.kept"
  /// So is how far entries were delivered.
  case spoolKeptNoted = "spool.keptNoted"
  /// All that is on the disk.
  case spoolKeptSynced = "spool.keptSynced"
  /// Another word of a copy of a part of the checkpoint is there.
  case checkpointWordStored = "checkpoint.wordStored"

  #if DEBUG
    /// Told of every point that this task passes: a test in which a run takes place in the test's own thread.
    @TaskLocal package static var observer: (@Sendable (FaultPoint) -> Void)?

    /// Which point kills, and how many more times it is to be passed before.
    private static let armed: Countdown? = {
      guard let value = unsafe getenv("SPILLWAY_FAULT_POINT") else { return nil }
      let parts = unsafe String(cString: value).split(separator: ":", maxSplits: 1).map(String.init)
      guard let name = parts.first, let point = FaultPoint(rawValue: name) else { return nil }
      return Countdown(point, count: parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()

    /// Ends the process at once, without a chance to clean up.
    package static func die() { kill(getpid(), SIGKILL) }

    /// Whether this is the place and the time.
    package func isReached() -> Bool { Self.armed?.passes(self) ?? false }
  #endif

  /// Kills the process if this is the place and the time.
  @inline(__always) package func pass() {
    #if DEBUG
      if isReached() { Self.die() }
      Self.observer?(self)
    #endif
  }
}

#if DEBUG
  import Synchronization

  /// Counts how often a point is passed.
  private final class Countdown: Sendable {
    private let point: FaultPoint
    private let left: Atomic<Int>

    init(_ point: FaultPoint, count: Int) {
      self.point = point
      left = Atomic(count)
    }

    func passes(_ point: FaultPoint) -> Bool {
      point == self.point && left.subtract(1, ordering: .relaxed).newValue == 0
    }
  }
#endif
