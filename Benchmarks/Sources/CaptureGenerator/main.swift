import Glibc

// CaptureGenerator FILE REQUESTS [SEED [OPEN]]: writes a binary log of a busy site with 32-bit records, in
// which OPEN requests are open at any time. Prints the numbers of requests, transactions, records and bytes.

let arguments = CommandLine.arguments
guard arguments.count >= 3, let requests = Int(arguments[2]), requests > 0,
  let seed = arguments.count > 3 ? UInt64(arguments[3]) : 1,
  let openRequests = arguments.count > 4 ? Int(arguments[4]) : 0, openRequests >= 0
else {
  let usage = Array("usage: CaptureGenerator FILE REQUESTS [SEED [OPEN]]\n".utf8)
  write(STDERR_FILENO, usage, usage.count)
  exit(2)
}
guard let writer = CaptureWriter(path: arguments[1]) else {
  perror("CaptureGenerator: open \(arguments[1])")
  exit(1)
}
var traffic = Traffic(writer: writer, seed: seed, openRequests: openRequests)
guard traffic.run(requests: requests) else {
  perror("CaptureGenerator: write \(arguments[1])")
  exit(1)
}
print(requests, traffic.transactionCount, traffic.writer.recordCount, traffic.writer.byteCount)
