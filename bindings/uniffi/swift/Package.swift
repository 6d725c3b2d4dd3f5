// swift-tools-version: 5.10

import PackageDescription

// Where libhubtls_uniffi lies, for programs in this checkout: a package with unsafe flags cannot be a dependency from elsewhere, so without the variable
// pkg-config tells (Linux), or an XCFramework holds it (Apple's platforms).
let folder = Context.environment["HUBTLS_LIB_DIR"]
let finding: [LinkerSetting] = folder.map { [.unsafeFlags(["-L\($0)", "-Xlinker", "-rpath", "-Xlinker", $0])] } ?? []

#if os(macOS)
  // As `xcframework` puts it; a release names an address and a checksum here, which the script prints.
  let library: Target =
    folder == nil
    ? .binaryTarget(name: "CHubTlsFFI", path: "CHubTlsFFI.xcframework")
    : .systemLibrary(name: "CHubTlsFFI", path: "Sources/CHubTlsFFI/include")
#else
  let library: Target = .systemLibrary(name: "CHubTlsFFI", path: "Sources/CHubTlsFFI/include", pkgConfig: folder == nil ? "hubtls_uniffi" : nil)
#endif

let package = Package(
  name: "HubTLS",
  platforms: [.macOS(.v13), .iOS(.v16)],
  products: [.library(name: "HubTLS", targets: ["HubTLS"])],
  targets: [
    library,
    // Rust's standard library wants iconv on Apple's platforms.
    .target(name: "HubTlsFFI", dependencies: ["CHubTlsFFI"], linkerSettings: [.linkedLibrary("iconv", .when(platforms: [.macOS, .iOS]))]),
    .target(name: "HubTLS", dependencies: ["HubTlsFFI", "CHubTlsFFI"], linkerSettings: finding),
    .testTarget(name: "HubTLSTests", dependencies: ["HubTLS"]),
  ],
  swiftLanguageVersions: [.v5, .version("6")]
)
