// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let logReading: Target.Dependency = .product(name: "LogReading", package: "spillway")
let transactions: Target.Dependency = .product(name: "Transactions", package: "spillway")
let logQuery: Target.Dependency = .product(name: "LogQuery", package: "spillway")
let rendering: Target.Dependency = .product(name: "Rendering", package: "spillway")
let inspection: Target.Dependency = .product(name: "Inspection", package: "spillway")
let metrics: Target.Dependency = .product(name: "Metrics", package: "spillway")
let settings: Target.Dependency = .product(name: "Settings", package: "spillway")

// libFuzzer takes one entry per executable.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "spillway", path: "..")],
  targets: [
    .target(name: "CFuzz"),
    .target(
      name: "FuzzSupport", dependencies: [logReading, transactions, rendering], swiftSettings: strict),
    .executableTarget(
      name: "FuzzLog", dependencies: ["CFuzz", "FuzzSupport", logReading, transactions, rendering],
      swiftSettings: strict),
    .executableTarget(
      name: "FuzzInspect", dependencies: ["FuzzSupport", logReading, inspection], swiftSettings: strict),
    .executableTarget(
      name: "FuzzQuery", dependencies: ["FuzzSupport", logReading, transactions, logQuery],
      swiftSettings: strict),
    .executableTarget(
      name: "FuzzFormat", dependencies: ["FuzzSupport", logReading, rendering], swiftSettings: strict),
    .executableTarget(
      name: "FuzzText", dependencies: ["FuzzSupport", logReading, transactions, rendering],
      swiftSettings: strict),
    .executableTarget(
      name: "FuzzTemplate", dependencies: ["FuzzSupport", logReading, rendering], swiftSettings: strict),
    .executableTarget(
      name: "FuzzSettings", dependencies: ["FuzzSupport", settings], swiftSettings: strict),
    .executableTarget(
      name: "FuzzMetrics", dependencies: ["FuzzSupport", metrics], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
