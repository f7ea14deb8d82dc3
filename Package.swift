// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// For all of `Sources/`: each place where raw memory is touched is marked.
let marked = strict + [.strictMemorySafety()]

let package = Package(
  name: "spillway",
  products: [
    .executable(name: "spillway", targets: ["SpillwayCommand"]),
    .library(name: "LogReading", targets: ["LogReading", "VarnishLog", "SharedMemory", "Platform"]),
    .library(name: "LogWriting", targets: ["LogWriting", "VarnishLog", "Platform"]),
    .library(name: "Transactions", targets: ["Transactions"]),
    .library(name: "LogQuery", targets: ["LogQuery"]),
    .library(name: "Rendering", targets: ["Rendering"]),
    .library(name: "Inspection", targets: ["Inspection"]),
    .library(name: "Pipeline", targets: ["Pipeline", "Shipping", "Spool", "Compression"]),
    .library(name: "SpillwayLogging", targets: ["SpillwayLogging"]),
    .library(name: "Settings", targets: ["Settings"]),
    .library(name: "Metrics", targets: ["Metrics"]),
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
    // Where these two aren't installed, zlib does what they would.
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(
      name: "Compression", dependencies: ["CZlib", "CZstd", "CISAL", "CDeflate"], swiftSettings: marked),
    .target(
      name: "Platform",
      dependencies: ["CShims"],
      swiftSettings: marked),
    .target(
      name: "SharedMemory",
      dependencies: ["CShims", "Platform"],
      swiftSettings: marked),
    .target(
      name: "VarnishLog",
      dependencies: ["CShims"],
      swiftSettings: marked),
    .target(
      name: "LogReading",
      dependencies: ["CShims", "Platform", "SharedMemory", "Compression", "VarnishLog"],
      swiftSettings: marked),
    .target(
      name: "LogWriting",
      dependencies: ["CShims", "Platform", "SharedMemory", "VarnishLog"],
      swiftSettings: marked),
    .target(
      name: "Settings", dependencies: ["CYAML", "Platform"],
      swiftSettings: marked),
    .target(
      name: "SpillwayLogging",
      dependencies: [
        "Platform", "VarnishLog", "LogWriting", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: marked),
    .target(
      name: "Transactions",
      dependencies: ["CShims", "VarnishLog"],
      swiftSettings: marked),
    .target(
      name: "LogConversion",
      dependencies: ["Platform", "VarnishLog", "LogReading", "Transactions"],
      swiftSettings: marked),
    .target(
      name: "LogQuery",
      dependencies: ["CPCRE2", "Platform", "SharedMemory", "VarnishLog", "Transactions"],
      swiftSettings: marked),
    .target(
      name: "Rendering",
      dependencies: ["CShims", "Platform", "SharedMemory", "VarnishLog", "Transactions", "LogQuery"],
      exclude: ["Templates/Builtin/README.md"],
      resources: [.embedInCode("Templates/Builtin")],
      swiftSettings: marked),
    .target(
      name: "Spool",
      dependencies: ["CShims", "CZlib", "Platform", "SharedMemory"],
      swiftSettings: marked),
    .target(
      name: "Checkpoints",
      dependencies: ["CShims", "CZlib", "Platform", "VarnishLog", "Spool"],
      swiftSettings: marked),
    .target(
      name: "Shipping",
      dependencies: ["CShims", "Compression", "Platform", "Spool", "Checkpoints"],
      swiftSettings: marked),
    .target(
      name: "Pipeline",
      dependencies: [
        "CShims", "Platform", "VarnishLog", "LogReading", "Transactions", "LogQuery", "Rendering", "Spool",
        "Checkpoints", "Shipping",
      ],
      swiftSettings: marked),
    .target(
      name: "DemoTraffic",
      dependencies: ["VarnishLog", "LogWriting"],
      swiftSettings: marked),
    .target(name: "TerminalViews", dependencies: ["CShims", "Platform"], swiftSettings: marked),
    .target(
      name: "Demo",
      dependencies: [
        "CShims", "Platform", "TerminalViews", "VarnishLog", "LogWriting", "DemoTraffic", "Pipeline",
      ],
      swiftSettings: marked),
    .target(
      name: "Replay",
      dependencies: ["CShims", "Platform", "VarnishLog", "LogReading", "LogWriting", "Transactions"],
      swiftSettings: marked),
    .target(
      name: "Inspection",
      dependencies: ["Platform", "VarnishLog", "LogReading"],
      swiftSettings: marked),
    .target(
      name: "Statistics",
      dependencies: ["Platform", "TerminalViews", "LogReading"],
      swiftSettings: marked),
    .target(
      name: "Metrics",
      dependencies: ["CShims", "Platform", "LogReading", "Spool", "Shipping", "Pipeline"],
      swiftSettings: marked),
    .target(
      name: "Pictures",
      dependencies: ["Platform", "TerminalViews", "VarnishLog", "LogQuery", "Spool", "Shipping", "Pipeline"],
      swiftSettings: marked),
    .executableTarget(
      name: "SpillwayCommand",
      dependencies: [
        "CShims", "Platform", "VarnishLog", "LogReading", "LogConversion", "Inspection", "LogQuery",
        "Rendering", "Statistics", "Metrics", "TerminalViews", "Transactions",
        "Pictures", "Settings", "Spool", "Checkpoints", "Compression", "Shipping", "Pipeline", "Demo",
        "Replay",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: marked),
    .target(name: "TestSupport", dependencies: ["CShims"], path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "RegionProbe", dependencies: ["CShims", "SharedMemory", "TestSupport"],
      path: "Tests/RegionProbe", swiftSettings: strict),
    .testTarget(
      name: "CheckpointsTests",
      dependencies: ["Checkpoints", "Platform", "Spool", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SharedMemoryTests", dependencies: ["Platform", "SharedMemory", "RegionProbe", "TestSupport"],
      swiftSettings: strict),
    .executableTarget(
      name: "SystemProbe", dependencies: ["CShims", "Platform"], path: "Tests/SystemProbe",
      swiftSettings: strict),
    .testTarget(
      name: "PlatformTests", dependencies: ["CShims", "Platform", "SystemProbe", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "SettingsTests", dependencies: ["Settings", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "VarnishLogTests", dependencies: ["VarnishLog", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LogReadingTests",
      dependencies: ["LogReading", "Transactions", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .target(
      name: "LogWriterSupport",
      dependencies: [
        "CShims", "Platform", "SharedMemory", "VarnishLog", "LogReading", "LogWriting", "TestSupport",
      ],
      path: "Tests/LogWriterSupport", swiftSettings: strict),
    .executableTarget(
      name: "LogWriterProbe", dependencies: ["LogWriterSupport", "LogWriting"],
      path: "Tests/LogWriterProbe", swiftSettings: strict),
    .testTarget(
      name: "LogWriterTests",
      dependencies: [
        "VarnishLog", "LogReading", "LogWriting", "LogWriterProbe", "LogWriterSupport", "SharedMemory",
        "TestSupport",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "ServerProbe", dependencies: ["LogWriting", "SpillwayLogging"], path: "Tests/ServerProbe",
      swiftSettings: strict),
    .testTarget(
      name: "SpillwayLoggingTests",
      dependencies: [
        "SpillwayLogging", "VarnishLog", "LogWriting", "ServerProbe", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TransactionsTests", dependencies: ["Transactions", "VarnishLog", "LogReading", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "RenderingTests",
      dependencies: ["CShims", "Rendering", "LogQuery", "Transactions", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LogQueryTests",
      dependencies: ["LogQuery", "Transactions", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics", "TerminalViews", "LogReading", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "MetricsTests",
      dependencies: ["Metrics", "LogReading", "Pipeline", "Platform", "Shipping", "Spool", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PicturesTests", dependencies: ["Pictures", "Shipping", "TerminalViews", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ReplayTests", dependencies: ["Replay", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .executableTarget(
      name: "ShippingProbe", dependencies: ["Checkpoints", "Compression", "Platform", "Shipping", "Spool"],
      path: "Tests/ShippingProbe", swiftSettings: strict),
    .testTarget(
      name: "ShippingTests",
      dependencies: [
        "Shipping", "Checkpoints", "Compression", "Spool", "SharedMemory", "Platform", "ShippingProbe",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "Checkpoints", "Compression", "LogWriting", "Platform", "Rendering", "Shipping", "Spool",
        "Transactions", "VarnishLog", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "DemoTests", dependencies: ["Demo", "TerminalViews", "VarnishLog", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "VarnishLog", "LogReading", "Checkpoints", "Compression", "Metrics", "Shipping", "Spool", "Platform",
        "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .executableTarget(
      name: "DamageProbe",
      dependencies: ["LogConversion", "LogReading", "Rendering", "Transactions", "VarnishLog"],
      path: "Tests/DamageProbe", swiftSettings: strict),
    .testTarget(
      name: "LogConversionTests",
      dependencies: [
        "DamageProbe", "LogConversion", "LogReading", "Transactions", "VarnishLog", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(name: "LiveTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
