import Compression
import Glibc
import Shipping

/// Outputs that are files.
extension OptionValues {
  /// How many finished files may be kept.
  static let keepRange = 0...1_000_000
  /// The options of a file, with their defaults.
  func file(
    _ path: String, _ output: OutputOptions, _ onRestart: RestartPolicy
  ) throws(UsageError) -> FileOptions {
    var file = FileOptions(path: absolute(path))
    file.appends = output.a
    file.onRestart = onRestart
    file.rotateBytes = try size(output.rotateSize, option: "--rotate-size")
    file.rotateEverySeconds = try wholeSeconds(output.rotateEvery, option: "--rotate-every")
    file.keep = try number(output.keep, option: "--keep", in: Self.keepRange)
    file.keepSeconds = try wholeSeconds(output.keepFor, option: "--keep-for")
    file.keepBytes = try size(output.keepBytes, option: "--keep-bytes")
    file.link = output.symlink.map(absolute)
    file.postRotate = output.postRotate
    file.postRotateTimeoutSeconds = try wholeSeconds(
      output.postRotateTimeout, option: "--post-rotate-timeout")
    file.attributes.mode = try mode(output.mode)
    (file.attributes.owner, file.attributes.group) = try owner(output.owner)
    file.sync = try sync(output.sync)
    file.compression =
      output.zstd == nil ? try compression(output.gzip, .gzip) : try compression(output.zstd, .zstd)
    return file
  }

  /// How a file is compressed.
  func compression(
    _ level: String?, _ format: CompressionFormat
  ) throws(UsageError) -> CompressionMethod? {
    guard let level = try number(level, option: "--\(format)", in: format.levels) else { return nil }
    return CompressionMethod(format, level: level)
  }

  /// A time of at least a second.
  func wholeSeconds(_ text: String?, option: String) throws(UsageError) -> Int? {
    guard let seconds = try time(text, option: option)?.wholeSeconds else { return nil }
    guard seconds >= 1 else { throw UsageError("\(option): the shortest time is 1s") }
    return seconds
  }

  /// Permissions as chmod takes them.
  func mode(_ text: String?) throws(UsageError) -> UInt32? {
    guard let text else { return nil }
    guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let mode = UInt32(text, radix: 8), mode <= 0o777
    else {
      throw UsageError("--mode: \"\(text)\" is not an octal number from 0 to 777")
    }
    guard mode & 0o200 != 0 else {
      throw UsageError("--mode: with \"\(text)\" the owner could not write")
    }
    return mode
  }

  /// `USER`, `USER:GROUP`, `:GROUP`, or `USER:`, which means that user's own group; by names or by numbers.
  func owner(_ text: String?) throws(UsageError) -> (user: UInt32?, group: UInt32?) {
    guard let text else { return (nil, nil) }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard text != ":", !text.isEmpty else { throw UsageError("--owner: \"\(text)\" names nobody") }
    var user: UInt32?
    var group: UInt32?
    if !parts[0].isEmpty {
      let entry = unsafe getpwnam(parts[0])
      guard let number = unsafe entry?.pointee.pw_uid ?? UInt32(parts[0]), number != UInt32.max else {
        throw UsageError("--owner: there is no user \"\(parts[0])\"")
      }
      user = number
      if parts.count > 1, parts[1].isEmpty {
        guard let own = unsafe entry?.pointee.pw_gid else {
          throw UsageError("--owner: the group of user \"\(parts[0])\" isn't known")
        }
        group = own
      }
    }
    if parts.count > 1, !parts[1].isEmpty {
      guard let number = unsafe getgrnam(parts[1])?.pointee.gr_gid ?? UInt32(parts[1]), number != UInt32.max
      else {
        throw UsageError("--owner: there is no group \"\(parts[1])\"")
      }
      group = number
    }
    return (user, group)
  }
}
