// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "spillway",
  products: [
    .executable(name: "spillway", targets: ["SpillwayCommand"]),
    .library(name: "ShmLog", targets: ["ShmLog"]),
    .library(name: "Transactions", targets: ["Transactions"]),
    .library(name: "LogQuery", targets: ["LogQuery"]),
    .library(name: "LineFormat", targets: ["LineFormat"]),
    .library(name: "Shipping", targets: ["Shipping"]),
    .library(name: "SpillwayLogging", targets: ["SpillwayLogging"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .target(name: "CShims"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "Compression", dependencies: ["CZlib", "CZstd"], swiftSettings: strict),
    .target(name: "SharedMemory", dependencies: ["CShims"], swiftSettings: strict),
    .target(name: "Platform", dependencies: ["CShims", "SharedMemory"], swiftSettings: strict),
    .target(
      name: "ShmLog", dependencies: ["CShims", "SharedMemory", "Compression"], swiftSettings: strict),
    .target(
      name: "SpillwayLogging",
      dependencies: ["ShmLog", "SharedMemory", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),
    .target(name: "Transactions", dependencies: ["ShmLog"], swiftSettings: strict),
    .target(
      name: "LogQuery", dependencies: ["Transactions", "ShmLog", "SharedMemory", "CPCRE2"],
      swiftSettings: strict),
    .target(
      name: "LineFormat", dependencies: ["CShims", "Transactions", "ShmLog", "SharedMemory"],
      exclude: ["Formats/README.md"],
      resources: [.embedInCode("Formats")], swiftSettings: strict),
    .target(
      name: "Shipping", dependencies: ["CShims", "CZlib", "SharedMemory", "Platform"], swiftSettings: strict),
    .target(
      name: "LogText",
      dependencies: ["CShims", "LineFormat", "LogQuery", "Shipping", "Transactions", "ShmLog"],
      swiftSettings: strict),
    .target(
      name: "Spillway",
      dependencies: [
        "ShmLog", "Transactions", "LogQuery", "LineFormat", "LogText", "Shipping", "SharedMemory", "Platform",
      ],
      swiftSettings: strict),
    .target(name: "DemoTraffic", dependencies: ["ShmLog"], swiftSettings: strict),
    .target(
      name: "Demo",
      dependencies: [
        "CShims", "SharedMemory", "Platform", "ShmLog", "Shipping", "DemoTraffic", "Spillway",
      ],
      swiftSettings: strict),
    .target(
      name: "Replay", dependencies: ["CShims", "SharedMemory", "Platform", "ShmLog"], swiftSettings: strict),
    .executableTarget(
      name: "SpillwayCommand",
      dependencies: [
        "CShims", "Platform", "Demo", "Replay", "Spillway", "LogQuery", "LogText",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "RegionProbe", dependencies: ["CShims", "SharedMemory", "TestSupport"],
      path: "Tests/RegionProbe", swiftSettings: strict),
    .testTarget(
      name: "SharedMemoryTests", dependencies: ["SharedMemory", "RegionProbe", "TestSupport"],
      swiftSettings: strict),
    .executableTarget(
      name: "SystemProbe", dependencies: ["CShims", "Platform"], path: "Tests/SystemProbe",
      swiftSettings: strict),
    .testTarget(
      name: "PlatformTests",
      dependencies: ["CShims", "Platform", "SharedMemory", "SystemProbe", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ShmLogTests", dependencies: ["ShmLog", "SharedMemory", "TestSupport"],
      swiftSettings: strict),
    .target(
      name: "LogWriterSupport", dependencies: ["CShims", "SharedMemory", "ShmLog", "TestSupport"],
      path: "Tests/LogWriterSupport", swiftSettings: strict),
    .executableTarget(
      name: "LogWriterProbe", dependencies: ["LogWriterSupport", "ShmLog"], path: "Tests/LogWriterProbe",
      swiftSettings: strict),
    .testTarget(
      name: "LogWriterTests", dependencies: ["ShmLog", "LogWriterProbe", "LogWriterSupport", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SpillwayLoggingTests",
      dependencies: [
        "SpillwayLogging", "ShmLog", "TestSupport", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TransactionsTests", dependencies: ["Transactions", "ShmLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LineFormatTests", dependencies: ["LineFormat", "Transactions", "ShmLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LogQueryTests", dependencies: ["LogQuery", "Transactions", "ShmLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LogTextTests",
      dependencies: ["LogText", "LogQuery", "LineFormat", "Transactions", "ShmLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ReplayTests", dependencies: ["Replay", "ShmLog", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ShippingTests", dependencies: ["Shipping", "SharedMemory", "Platform"], swiftSettings: strict),
    .testTarget(name: "SpillwayTests", dependencies: ["Spillway"], swiftSettings: strict),
    .testTarget(
      name: "DemoTests", dependencies: ["Demo", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["ShmLog", "Shipping", "TestSupport"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(name: "LiveTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
