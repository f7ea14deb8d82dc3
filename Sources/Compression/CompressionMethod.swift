/// How data is compressed: in which format, with how much effort, and by which library.
public struct CompressionMethod: Sendable, Hashable {
  /// The format of the compressed data.
  public let format: CompressionFormat
  /// How much effort goes into it, from fast to small: one of the format's `levels`.
  public let level: Int
  /// The library that compresses.
  public let library: CompressionLibrary

  /// Chooses the best library that is there for a format and a level.
  ///
  /// - Parameter level: a level beyond the format's levels counts as the nearest of them.
  public init(_ format: CompressionFormat, level: Int) {
    self.format = format
    self.level = min(max(level, format.levels.lowerBound), format.levels.upperBound)
    library = CompressionLibrary.best(for: format, level: self.level)
  }

  /// Names a library; nil unless it is there and has the format and the level.
  public init?(_ format: CompressionFormat, level: Int, by library: CompressionLibrary) {
    guard library.isAvailable, library.can(format, level: level) else { return nil }
    (self.format, self.level, self.library) = (format, level, library)
  }

  /// gzip, at a level from 1 to 9.
  public static func gzip(level: Int) -> CompressionMethod { CompressionMethod(.gzip, level: level) }

  /// zstd, at a level from 1 to 19.
  public static func zstd(level: Int) -> CompressionMethod { CompressionMethod(.zstd, level: level) }
}

/// A library that compresses.
///
/// If a library wasn't there when this was built, the next one that has the format and the level takes its
/// place.
public enum CompressionLibrary: String, Sendable, CaseIterable {
  /// Intel's, for the lower levels of gzip: three times as fast as zlib at its fastest, and smaller.
  case isal = "ISA-L"
  /// Every level of gzip: 1.6 times as fast as zlib at the usual one, and smaller.
  case libdeflate
  /// Every level of gzip, on every machine.
  case zlib
  case zstd

  /// The first library that is there and has a format and a level of it.
  static func best(for format: CompressionFormat, level: Int) -> CompressionLibrary {
    let fallback: CompressionLibrary = format == .gzip ? .zlib : .zstd
    return allCases.first { $0.isAvailable && $0.can(format, level: level) } ?? fallback
  }

  /// Whether it was there when this was built.
  public var isAvailable: Bool {
    switch self {
    case .isal: ISALEngine.isAvailable
    case .libdeflate: DeflateEngine.isAvailable
    case .zlib, .zstd: true
    }
  }

  /// Whether it has a format and a level of it.
  public func can(_ format: CompressionFormat, level: Int) -> Bool {
    switch self {
    case .isal: format == .gzip && (1...3).contains(level)
    case .libdeflate, .zlib: format == .gzip && format.levels.contains(level)
    case .zstd: format == .zstd && format.levels.contains(level)
    }
  }
}

extension CompressionFormat {
  /// The levels of effort that can be asked for, from fast to small.
  ///
  /// zstd's levels above 19 are left out: what they add is memory, for windows larger than any part is here.
  public var levels: ClosedRange<Int> {
    switch self {
    case .gzip: 1...9
    case .zstd: 1...19
    }
  }

  /// The level that is taken if none is asked for.
  ///
  /// For zstd it is the first one: it compresses lines into smaller frames than the second and third, which
  /// take longer.
  public var usualLevel: Int {
    switch self {
    case .gzip: 6
    case .zstd: 1
    }
  }

  /// The suffix of the names of files in this format.
  public var suffix: String {
    switch self {
    case .gzip: ".gz"
    case .zstd: ".zst"
    }
  }

  /// The format's name for a part.
  public var partName: String {
    switch self {
    case .gzip: "gzip member"
    case .zstd: "zstd frame"
    }
  }
}
