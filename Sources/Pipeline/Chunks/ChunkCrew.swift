import Glibc
import LogReading
import Platform
import VarnishLog

/// Threads that render a file's chunks ahead of the thread that puts the chunks together.
///
/// That thread renders chunks, too, instead of waiting. How far ahead the others work is limited, which
/// limits the memory that they take.
final class ChunkCrew<Layout: RecordLayout>: @unchecked Sendable {
  // What the threads share is in `state`; `ownRenderer` is only used by the thread that has made the crew.

  /// What the threads share about each other's work.
  private struct State: ~Copyable {
    /// The first chunk that no thread has begun.
    var next: Int
    /// The first chunk that may not be begun yet.
    var limit: Int
    /// Chunks that are done and weren't taken yet; nil for those that couldn't be rendered.
    var done: [Int: RenderedChunk<Layout>?] = [:]
    var isEnding = false
  }

  private let count: Int
  private let ahead: Int
  private let state: Guarded<State>
  private let isDone = WakeSignal()
  private var wakes: [WakeSignal] = []
  private var ends: [ThreadEnd] = []
  private var ownRenderer: ChunkRenderer<Layout>

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - first: the chunk with which to begin.
  ///   - renderers: the first is for the calling thread; for each of the others, a thread is started.
  init(_ file: ChunkedFile<Layout>, from first: Int, _ renderers: consuming FixedList<ChunkRenderer<Layout>?>)
  {
    var renderers = renderers
    guard let own = renderers[0].take() else { preconditionFailure("there is one for this thread") }
    ownRenderer = own
    count = file.count
    ahead = renderers.count + 1
    state = Guarded(State(next: first, limit: first + ahead))
    for index in 1..<renderers.count {
      guard let renderer = renderers[index].take() else { continue }
      let (wake, end) = (WakeSignal(), ThreadEnd())
      let loop = Loop(crew: self, renderer: renderer, wake: wake, end: end)
      // The crew works with fewer threads, too.
      guard let thread = try? WorkerThread.start(loop, stackBytes: Self.stackBytes) else { continue }
      pthread_detach(thread)
      wakes.append(wake)
      ends.append(end)
    }
  }

  /// Matching regular expressions can recurse deeply.
  private static var stackBytes: Int { 8 << 20 }

  private struct Loop: ThreadLoop, ~Copyable {
    let crew: ChunkCrew
    var renderer: ChunkRenderer<Layout>
    let wake: WakeSignal
    let end: ThreadEnd

    mutating func run() {
      while let index = next() { crew.leave(renderer.render(index, from: nil), at: index) }
      end.announce()
    }

    /// The next chunk to render; nil at the end.
    private func next() -> Int? {
      while true {
        switch crew.claim() {
        case .chunk(let index): return index
        case .wait: wake.wait(nanoseconds: nil)
        case .end: return nil
        }
      }
    }
  }

  private enum Claim {
    case chunk(Int)
    /// No chunk may be begun until others have been taken.
    case wait
    case end
  }

  private func claim() -> Claim {
    state.withLock { state in
      if state.isEnding || state.next >= count { return .end }
      guard state.next < state.limit else { return .wait }
      state.next += 1
      return .chunk(state.next - 1)
    }
  }

  private func leave(_ rendered: RenderedChunk<Layout>?, at index: Int) {
    state.withLock { state in
      // Chunks in front of the one that is asked for now aren't needed any more.
      if index + ahead >= state.limit { state.done[index] = .some(rendered) }
    }
    isDone.signal()
  }

  /// Returns a chunk once it is rendered.
  ///
  /// - Parameter start: where the chunk begins.
  /// - Returns: nil if it can't be rendered.
  func chunk(at index: Int, from start: UInt64) -> RenderedChunk<Layout>? {
    while true {
      var found: RenderedChunk<Layout>??
      let isBegun = state.withLock { state in
        state.limit = max(state.limit, index + ahead)
        for key in state.done.keys where key < index { state.done[key] = nil }
        found = state.done.removeValue(forKey: index)
        defer { state.next = max(state.next, index + 1) }
        return state.next > index
      }
      for wake in wakes { wake.signal() }
      // What another thread has rendered from the right place is the same as this thread would render.
      if case .some(let rendered?) = found, rendered.content.chunk.start == start { return rendered }
      if found != nil || !isBegun { return ownRenderer.render(index, from: start) }
      if case .chunk(let other) = claim() {
        leave(ownRenderer.render(other, from: nil), at: other)
      } else {
        isDone.wait(nanoseconds: nil)
      }
    }
  }

  /// Ends the threads, and waits until they have ended.
  func end() {
    state.withLock { $0.isEnding = true }
    for wake in wakes { wake.signal() }
    for end in ends { while !end.wait(nanoseconds: 1_000_000_000) {} }
    state.withLock { $0.done = [:] }
  }
}
