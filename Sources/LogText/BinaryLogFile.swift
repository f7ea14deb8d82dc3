import ShmLog

/// Files of records, as those who write them see them (`shm-layout.md` 7).
public enum BinaryLogFile {
  /// What a file of records begins with, and where its last whole record ends.
  ///
  /// - Returns: nil if the file is no log, or can't be read.
  public static func inspect(_ path: String) -> (marker: UInt32, wholeByteCount: Int)? {
    do {
      let file = try LogFile(path: path)
      switch file.layout {
      case .narrow:
        return (NarrowRecords.fileMagic, end(of: FileRecords<NarrowRecords>(file, assuming: nil)))
      case .wide:
        return (WideRecords.fileMagic, end(of: FileRecords<WideRecords>(file, assuming: nil)))
      }
    } catch {
      return nil
    }
  }

  /// Where the last record ends that is all there and can be one.
  private static func end<Layout>(of records: consuming FileRecords<Layout>) -> Int {
    var end = MemoryLayout<UInt32>.size
    records.includesUnattributed = true
    do {
      while case .records(let run) = try records.next() {
        end = records.offset(of: run.start) + run.byteCount
      }
    } catch {
      // Up to here all was well.
    }
    return end
  }
}
