// swift-tools-version: 5.10

import PackageDescription

let package = Package(
  name: "device",
  platforms: [.macOS(.v13)],
  dependencies: [.package(path: "../../../bindings/uniffi/swift")],
  targets: [.executableTarget(name: "device", dependencies: [.product(name: "HubTLS", package: "swift")])],
  swiftLanguageVersions: [.v5, .version("6")]
)
