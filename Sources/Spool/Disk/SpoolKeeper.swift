import Platform

/// Puts undelivered entries on disk for the next run, the oldest first.
struct SpoolKeeper: ~Copyable {
  private let disk: SpoolDisk
  /// The entries that the next run will find.
  private(set) var kept = Tally.zero
  /// Why not all entries could be put on disk.
  private var failure: SystemError?
  private var files: [Int: SpoolFile] = [:]
  private var image = SpoolImage()

  init(_ disk: SpoolDisk) { self.disk = disk }

  /// Keeps a block from memory, of which `rest` was not delivered.
  mutating func keep(_ block: SpoolBlock, rest: Tally) {
    guard rest.entries > 0, failure == nil else { return }
    do throws(SystemError) {
      let file = try disk.append(block).file
      files[file.number] = file
      kept += rest
    } catch {
      failure = error
    }
  }

  /// Keeps some of the unsettled entries that a sink had taken.
  mutating func keep(_ pieces: [EntryRuns.Piece]) {
    for piece in pieces where failure == nil {
      do throws(SystemError) {
        let block = try image.make(
          piece.run.entries, piece.range, firstSequence: piece.firstSequence, for: disk.options.directory)
        keep(block, rest: piece.tally)
      } catch {
        failure = error
      }
    }
  }

  /// Keeps a frame that is on disk already, unless its file was removed: then it is written once more.
  mutating func keep(_ stored: SpoolDisk.StoredFrame, rest: Tally) {
    guard rest.entries > 0 else { return }
    if stored.file.isInPlace {
      files[stored.file.number] = stored.file
      kept += rest
      return
    }
    guard failure == nil else { return }
    do throws(SystemError) {
      if let block = try image.load(stored) { keep(block, rest: rest) }
    } catch {
      failure = error
    }
  }

  /// Notes how far entries have been delivered, and makes all kept entries outlive a power cut.
  ///
  /// - Throws: `SystemError` if that, or keeping any entry before, has failed; the other entries are kept.
  mutating func finish(delivered sequence: Int) throws(SystemError) {
    try disk.noteFinally(delivered: sequence, keeping: files.values.sorted { $0.number < $1.number })
    if let failure { throw failure }
  }
}
