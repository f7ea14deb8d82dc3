public import Spool
import LogReading
public import VarnishLog

/// Binary log files, as the outputs that write them see them (`shm-layout.md` 7).
public struct BinaryLogFile: BinaryFormat {
  /// What an output that writes such files is given: their format.
  public static func content() -> BinaryContent {
    BinaryContent(BinaryLogFile())
  }

  /// The kind of a log file of 2.0 to 3.0, which has no marker.
  static func kind(ofOld numbering: TagNumbering) -> BinaryKind {
    BinaryKind(marker: 0, variant: variant(numbering))
  }

  private static func variant(_ numbering: TagNumbering?) -> UInt8 {
    numbering.flatMap { TagNumbering.allCases.firstIndex(of: $0) }.map { UInt8($0 + 1) } ?? 0
  }

  /// The kind of a file with a record layout and a numbering of the tags.
  public static func kind<Layout: RecordLayout>(
    _ layout: Layout.Type, _ numbering: TagNumbering?
  ) -> BinaryKind {
    BinaryKind(marker: Layout.fileMagic, variant: variant(numbering))
  }

  /// The kind of a log file, compressed or not; nil if the file is no log, or can't be read.
  public func kind(ofFile path: String) -> BinaryKind? {
    func kind<Layout>(_ records: consuming FileRecords<Layout>) -> BinaryKind {
      var records = records
      // No record tells the numbering, so the kind leaves it open.
      do { try records.begin() } catch { return Self.kind(Layout.self, nil) }
      return Self.kind(Layout.self, records.foundNumbering)
    }
    do {
      let file = try LogFile(path: path)
      switch file.kind {
      case .narrow: return kind(FileRecords<NarrowRecords>(file, assuming: nil))
      case .wide: return kind(FileRecords<WideRecords>(file, assuming: nil))
      case .old(let numbering): return Self.kind(ofOld: numbering)
      }
    } catch {
      return nil
    }
  }

  /// Where the last whole record of a file ends; nil if it is no log, or can't be read.
  public func wholeByteCount(ofFile path: String) -> Int? {
    func oldEnd<Format>(_ records: consuming LegacyFileRecords<Format>) -> Int {
      var records = records
      var end = 0
      records.includesUnattributed = true
      do {
        while true {
          switch try records.next() {
          case .records(let run) where run.shape == .single: end = Int(truncatingIfNeeded: run.endPlace)
          case .end: return end
          default: continue
          }
        }
      } catch {
        return end
      }
    }
    func end<Layout>(_ records: consuming FileRecords<Layout>) -> Int {
      var records = records
      var end = MemoryLayout<UInt32>.size
      records.includesUnattributed = true
      do {
        while case .records(let run) = try records.next() {
          end = unsafe records.offset(of: run.start) + run.byteCount
        }
      } catch {
        // Up to here, the records were whole.
      }
      return end
    }
    do {
      let file = try LogFile(path: path)
      switch file.kind {
      case .narrow: return end(FileRecords<NarrowRecords>(file, assuming: nil))
      case .wide: return end(FileRecords<WideRecords>(file, assuming: nil))
      case .old(.v20): return oldEnd(LegacyFileRecords<Records20>(file))
      case .old(.v21): return oldEnd(LegacyFileRecords<Records21>(file))
      case .old: return oldEnd(LegacyFileRecords<Records30>(file))
      }
    } catch {
      return nil
    }
  }

  /// The bytes that files of a kind begin with: the word that tells their layout, if they have one.
  public func header(of kind: BinaryKind) -> [UInt8] {
    guard kind.marker != 0 else { return [] }
    return unsafe withUnsafeBytes(of: kind.marker.littleEndian, Array.init)
  }
}
