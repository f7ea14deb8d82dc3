// Carries the lines of a file through a spool and an output to another file, as often as asked for, and prints
// for each time:
//   BYTES WALL_SECONDS PRODUCER_NANOSECONDS WRITER_NANOSECONDS FILE_BYTES
// The writer is the output's thread; what it spent is what the process did besides the producer.
//
// usage: ship LINES TARGET plain|FORMAT:LEVEL[:LIBRARY] ROUNDS

import Compression
import Glibc
import Shipping
import Spool

func fail(_ text: String) -> Never {
  let message = "ship: \(text)\n"
  _ = write(STDERR_FILENO, message, message.utf8.count)
  exit(2)
}

/// A whole file in memory.
func contents(_ path: String) -> UnsafeMutableRawBufferPointer {
  let descriptor = open(path, O_RDONLY)
  var status = stat()
  guard descriptor >= 0, fstat(descriptor, &status) == 0 else { fail("can't open \(path)") }
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(status.st_size), alignment: 64)
  var count = 0
  while count < buffer.count {
    let more = read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
    if more <= 0 { fail("can't read \(path)") }
    count += more
  }
  close(descriptor)
  return buffer
}

func nanoseconds(_ clock: clockid_t) -> Int {
  var time = timespec()
  clock_gettime(clock, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Puts every line into the spool by itself, as a renderer does.
func produce(_ lines: UnsafeRawBufferPointer, into writer: inout SpoolWriter) {
  guard var line = lines.baseAddress else { return }
  let end = line + lines.count
  while line < end, let newline = memchr(line, 0x0A, end - line) {
    let count = UnsafeRawPointer(newline) - line + 1
    guard case .room(let reserved) = writer.reserve(count), let room = reserved.baseAddress else {
      fail("a line was refused")
    }
    room.copyMemory(from: line, byteCount: count)
    writer.commit(count)
    line += count
  }
  writer.publish()
}

/// The compression method that `plain`, `zstd:3` or `gzip:1:zlib` denotes.
func method(_ text: String) -> CompressionMethod? {
  guard text != "plain" else { return nil }
  let parts = text.split(separator: ":").map(String.init)
  guard parts.count > 1, let format = CompressionFormat(rawValue: parts[0]), let level = Int(parts[1]) else {
    fail("what is \(text)?")
  }
  guard parts.count > 2 else { return CompressionMethod(format, level: level) }
  guard let library = CompressionLibrary(rawValue: parts[2]),
    let method = CompressionMethod(format, level: level, by: library)
  else { fail("there is no \(text) here") }
  return method
}

func run(_ lines: UnsafeRawBufferPointer, _ target: String, _ method: CompressionMethod?) throws {
  unlink(target)
  var options = FileOptions(path: target)
  options.compression = method
  let processBefore = nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
  let start = nanoseconds(CLOCK_MONOTONIC)
  let output = try Output(
    to: FileSink.open(options) { _ in },
    spool: Spool.Options(limitBytes: 64 << 20, overflow: .block, blockBytes: 1 << 20))
  var writer = output.makeWriter()
  let before = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
  produce(lines, into: &writer)
  let after = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
  writer.finish()
  let report = output.join(drainSeconds: 600)
  guard report.written.bytes == lines.count else { fail("not all was written: \(report)") }
  let seconds = Double(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9
  let writerNanoseconds = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processBefore - (after - before)
  var status = stat()
  guard stat(target, &status) == 0 else { fail("there is no \(target)") }
  print(lines.count, seconds, after - before, writerNanoseconds, status.st_size)
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let rounds = Int(arguments[4]) else {
  fail("usage: ship LINES TARGET plain|FORMAT:LEVEL[:LIBRARY] ROUNDS")
}
let lines = contents(arguments[1])
for _ in 0..<rounds {
  do {
    try run(UnsafeRawBufferPointer(lines), arguments[2], method(arguments[3]))
  } catch {
    fail("\(error)")
  }
}
