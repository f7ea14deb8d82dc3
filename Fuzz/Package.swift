// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "spillway", path: "..")],
  targets: [
    .target(name: "CFuzz"),
    .executableTarget(
      name: "FuzzLog",
      dependencies: [
        "CFuzz",
        .product(name: "ShmLog", package: "spillway"),
        .product(name: "Transactions", package: "spillway"),
        .product(name: "LineFormat", package: "spillway"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
