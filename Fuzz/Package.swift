// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let shmLog: Target.Dependency = .product(name: "ShmLog", package: "spillway")
let transactions: Target.Dependency = .product(name: "Transactions", package: "spillway")
let logQuery: Target.Dependency = .product(name: "LogQuery", package: "spillway")
let lineFormat: Target.Dependency = .product(name: "LineFormat", package: "spillway")
let settings: Target.Dependency = .product(name: "Settings", package: "spillway")

// libFuzzer takes one entry per executable.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "spillway", path: "..")],
  targets: [
    .target(name: "CFuzz"),
    .target(
      name: "FuzzSupport", dependencies: [shmLog, transactions, lineFormat], swiftSettings: strict),
    .executableTarget(
      name: "FuzzLog", dependencies: ["CFuzz", "FuzzSupport", shmLog, transactions, lineFormat],
      swiftSettings: strict),
    .executableTarget(
      name: "FuzzQuery", dependencies: ["FuzzSupport", shmLog, transactions, logQuery],
      swiftSettings: strict),
    .executableTarget(
      name: "FuzzFormat", dependencies: ["FuzzSupport", shmLog, lineFormat], swiftSettings: strict),
    .executableTarget(
      name: "FuzzTemplate", dependencies: ["FuzzSupport", shmLog, lineFormat], swiftSettings: strict),
    .executableTarget(
      name: "FuzzSettings", dependencies: ["FuzzSupport", settings], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
