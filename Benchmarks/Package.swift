// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "spillway", path: "..")],
  targets: [
    .executableTarget(
      name: "CaptureGenerator",
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
    .executableTarget(name: "limits"),
    .executableTarget(name: "measure"),
    .executableTarget(
      name: "writelog", dependencies: [.product(name: "LogWriting", package: "spillway")],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
    .executableTarget(
      name: "zipflog",
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
    .executableTarget(name: "ship", dependencies: [.product(name: "Pipeline", package: "spillway")]),
  ],
  swiftLanguageModes: [.v6]
)
