import FuzzSupport
import LogReading
import Platform
import VarnishLog

/// A copy of a run that a source has handed over.
struct FoundRun: Equatable {
  let place: UInt64
  let byteCount: Int
}

/// Compares a file's chunks, put together, with the result of reading in order.
struct ChunkCheck {
  private let tags: TagTable

  init(_ tags: TagTable) { self.tags = tags }

  func check<Layout: RecordLayout>(_ file: ChunkedFile<Layout>, _ expected: [FoundRun]) {
    var picks = RunPicks<Layout>(tags)
    defer { picks.deallocate() }
    var place: UInt64 = 4
    var count = 0
    do throws(SystemError) {
      while Int(clamping: place) < file.byteCount {
        let index = file.index(of: place)
        // A guess may be wrong, and lead anywhere; reading must end all the same.
        if var guess = try file.chunk(at: index, from: nil, picks), guess.start != place {
          while guess.next(&picks) != nil {}
        }
        guard var chunk = try file.chunk(at: index, from: place, picks) else { return }
        while let run = chunk.next(&picks) {
          require(
            count < expected.count && expected[count] == FoundRun(place: run.place, byteCount: run.byteCount),
            "a run at \(run.place) of \(run.byteCount) bytes, which isn't there in order")
          count += 1
        }
        guard !chunk.isCut else { return }
        require(chunk.end > place, "a chunk that ends where it begins")
        place = chunk.end
      }
    } catch {
      // The file may be of a kind that can't be mapped.
    }
  }
}
