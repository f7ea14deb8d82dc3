import Glibc

/// The points between two durable states at which a test kills the process, to check what the next run makes
/// of the state that is left.
///
/// In test builds, `SPILLWAY_FAULT_POINT=NAME` in the environment names the point, and `NAME:COUNT` the
/// COUNT-th time that it is passed. In release builds, passing a point does nothing.
package enum FaultPoint: String, CaseIterable, Sendable {
  /// A rotation is due; the entries in memory are in the file.
  case rotationFlushed = "rotation.flushed"
  /// The file is on the disk.
  case rotationSynced = "rotation.synced"
  /// The file's mark says that the file is finished.
  case rotationNoted = "rotation.noted"
  /// The file has its finished name, if that is a different one.
  case rotationRenamed = "rotation.renamed"
  /// The directory with that name is synchronized to the disk.
  case rotationDirectorySynced = "rotation.directorySynced"
  /// The file is closed.
  case rotationClosed = "rotation.closed"
  /// The next file is open, and empty.
  case rotationOpened = "rotation.opened"
  /// The next file has its mark.
  case rotationMarked = "rotation.marked"
  /// The next file has its header.
  case rotationBegun = "rotation.begun"
  /// The next file is noted for the next run.
  case rotationPlaceNoted = "rotation.placeNoted"
  /// One old file was deleted.
  case rotationPruned = "rotation.pruned"
  /// A finished file's mark says that its command has ended.
  case commandNoted = "command.noted"
  /// The link to the next file exists under a temporary name.
  case linkMade = "symlink.made"
  /// The link has its own name.
  case linkRenamed = "symlink.renamed"
  /// The entries about to be written are noted.
  case writeNoted = "write.noted"
  /// These entries are in the file.
  case writeDone = "write.done"
  /// The written entries are on the disk.
  case syncDone = "sync.done"
  /// It is noted that they are.
  case syncNoted = "sync.noted"
  /// A write that an earlier run hadn't finished has been cut off.
  case resumeCut = "resume.cut"
  /// An output's part of the checkpoint has been noted.
  case checkpointOutputNoted = "checkpoint.outputNoted"
  /// The reader's part of the checkpoint has been noted.
  case checkpointReadingNoted = "checkpoint.readingNoted"
  /// Half of a piece of text is in the file.
  case lineHalfWritten = "line.halfWritten"
  /// Half of a compressed member is in the file.
  case memberHalfWritten = "member.halfWritten"
  /// The first member of a file has been joined with the empty one in front of it.
  case memberJoined = "member.joined"
  /// A part of a file that a kill has torn has been cut off.
  case repairCut = "repair.cut"
  /// A file of a spool exists, and has its header.
  case spoolFileBegun = "spool.fileBegun"
  /// A block's entries are in the file, but not the header that makes them a frame.
  case spoolFrameHalfWritten = "spool.frameHalfWritten"
  /// The frame is whole.
  case spoolFrameWritten = "spool.frameWritten"
  /// The sequence up to which entries were written is noted.
  case spoolFrameNoted = "spool.frameNoted"
  /// The block's memory may be used again.
  case spoolMemoryFreed = "spool.memoryFreed"
  /// Entries were delivered.
  case spoolDelivered = "spool.delivered"
  /// The delivery is noted.
  case spoolDeliveryNoted = "spool.deliveryNoted"
  /// A file without needed frames was removed.
  case spoolFileRemoved = "spool.fileRemoved"
  /// At the beginning, entries written behind a gap count as not written.
  case spoolGapNoted = "spool.gapNoted"
  /// A frame behind a gap has been invalidated.
  case spoolFrameDropped = "spool.frameDropped"
  /// At the end, undelivered entries have been written.
  case spoolKept = "spool.kept"
  /// The sequence up to which entries were delivered is noted as well.
  case spoolKeptNoted = "spool.keptNoted"
  /// All of this is on the disk.
  case spoolKeptSynced = "spool.keptSynced"
  /// One more word of a copy of a part of the checkpoint is stored.
  case checkpointWordStored = "checkpoint.wordStored"

  #if DEBUG
    /// Called for every point that this task passes, for tests in which a run takes place in the test's own
    /// thread.
    @TaskLocal package static var observer: (@Sendable (FaultPoint) -> Void)?

    /// The point that kills, and how many times it is passed before.
    private static let armed: Countdown? = {
      guard let value = unsafe getenv("SPILLWAY_FAULT_POINT") else { return nil }
      let parts = unsafe String(cString: value).split(separator: ":", maxSplits: 1).map(String.init)
      guard let name = parts.first, let point = FaultPoint(rawValue: name) else { return nil }
      return Countdown(point, count: parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()

    /// Ends the process at once, without a chance to clean up.
    package static func die() { kill(getpid(), SIGKILL) }

    /// Whether this point is to kill the process, this time.
    package func isReached() -> Bool { Self.armed?.passes(self) ?? false }
  #endif

  /// Kills the process if this point is to, this time.
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
