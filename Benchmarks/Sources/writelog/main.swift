import Glibc
import LogWriting
import VarnishLog

// Measures what a transaction costs the server that logs it: into a log in shared memory without a reader, and with
// one that has been stopped; beside its line appended to a file, and the same records in a ring that is locked while
// they are copied. Prints the threads, the way, and the nanoseconds of each round, between tabs.
//
//     writelog [TRANSACTIONS [ROUNDS]]

let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 400_000 : 400_000
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 7 : 7

/// Runs `body` on several threads at once, and returns the nanoseconds per transaction.
func measure(threads: Int, _ body: @escaping @Sendable (_ count: Int) -> Void) -> Double {
  final class Work {
    let count: Int
    let body: @Sendable (Int) -> Void
    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.count = count
      self.body = body
    }
  }
  var began = timespec()
  clock_gettime(CLOCK_MONOTONIC, &began)
  var handles: [pthread_t] = []
  for _ in 0..<threads {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(count / threads, body)).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        work.body(work.count)
        return nil
      }, work)
    handles.append(thread)
  }
  for thread in handles { pthread_join(thread, nil) }
  var ended = timespec()
  clock_gettime(CLOCK_MONOTONIC, &ended)
  let nanoseconds = (ended.tv_sec - began.tv_sec) * 1_000_000_000 + ended.tv_nsec - began.tv_nsec
  return Double(nanoseconds) / Double(count)
}

/// Starts varnishlog or spillway on a log, and stops it when it has attached.
func stoppedReader(_ directory: String) -> pid_t? {
  for program in [["varnishlog", "-n", directory], ["spillway", "log", "-n", directory]] {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = program.map { strdup($0) } + [nil]
    var process: pid_t = 0
    guard posix_spawnp(&process, program[0], &actions, nil, &arguments, environ) == 0 else { continue }
    sleep(2)
    kill(process, SIGSTOP)
    return process
  }
  return nil
}

var template = Array("/tmp/writelog.XXXXXX".utf8CString)
guard mkdtemp(&template) != nil else { exit(1) }
let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
var options = LogWriterOptions(.indexed(.v41))
options.logByteCount = 64 << 20
let writer = try LogWriter(directory: directory + "/log", options: options)
let stoppedWriter = try LogWriter(directory: directory + "/stopped", options: options)
let reader = stoppedReader(directory + "/stopped")
let file = open(directory + "/lines", O_WRONLY | O_CREAT | O_APPEND, 0o644)
let ring = LockedRing(byteCount: 64 << 20)

func write(_ writer: LogWriter) -> @Sendable (Int) -> Void {
  { count in
    let records = Page.records
    var transaction = writer.transaction(0, .client)
    for _ in 0..<count {
      transaction.begin(writer.nextVXID(), .client)
      for (tag, text) in records { transaction.add(tag, text) }
      transaction.commit()
    }
  }
}

func lock(_ ring: LockedRing) -> @Sendable (Int) -> Void {
  { count in
    let texts = Page.records.map { $0.1 }
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: 16 << 10, alignment: 8)
    defer { buffer.deallocate() }
    for number in 0..<count { ring.append(texts, through: buffer, number: UInt64(number)) }
  }
}

let ways: [(name: String, body: @Sendable (Int) -> Void)] = [
  ("log without a reader", write(writer)),
  (reader == nil ? "log, no reader found" : "log with a stopped reader", write(stoppedWriter)),
  (
    "line appended to a file",
    { count in for _ in 0..<count { _ = Glibc.write(file, Page.line, Page.line.count) } }
  ),
  ("ring behind a lock", lock(ring)),
]
for threads in [1, 2] {
  var results = [[Double]](repeating: [], count: ways.count)
  for round in 0...rounds {
    for (index, way) in ways.enumerated() {
      let nanoseconds = measure(threads: threads, way.body)
      // The first round only brings everything into memory.
      if round > 0 { results[index].append(nanoseconds) }
      ftruncate(file, 0)
    }
  }
  for (index, way) in ways.enumerated() {
    let values = results[index].map { String(Int($0.rounded())) }.joined(separator: " ")
    print(threads, way.name, values, separator: "\t")
  }
}
if let reader {
  kill(reader, SIGKILL)
  waitpid(reader, nil, 0)
}
writer.close()
stoppedWriter.close()
for entry in ["lines", "log/_.pid", "stopped/_.pid"] { unlink(directory + "/" + entry) }
for entry in ["/log", "/stopped", ""] { rmdir(directory + entry) }
