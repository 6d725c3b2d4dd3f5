import Foundation
import Testing

@testable import HubTLS

/// What Network.framework is told; it does not exist here.
@Suite struct NetworkSettingsTests {
  private func settings(
    _ name: String = "hub.azure-devices.net", policy: Policy? = nil, roots: Roots? = nil, addRoots: Roots? = nil, pins: [String]? = nil
  ) throws -> NetworkSettings {
    try NetworkSettings(serverName: name, policy: policy, roots: roots, addRoots: addRoots, pins: pins)
  }

  @Test func thePolicyIsToldInNumbers() throws {
    let told = try settings()
    #expect(told.oldest == 0x0303 && told.newest == 0x0304)
    #expect(told.suites.count == 10 && told.suites.contains(0xC02B) && told.suites.contains(0x1301))
    #expect(try told.anchors.map { try Certificate.read(der: $0).fingerprint } == Roots.azure.all.map(\.fingerprint))
    let ecc = try settings(policy: Policy.named("iothub-ecc"))
    #expect(ecc.newest == 0x0303 && ecc.suites == [0xC02B, 0xC02C, 0xC023, 0xC024])
  }

  @Test func addedRootsAreNotBelievedAboutAzure() async throws {
    let server = try await Server.echo()
    let roots = try Roots(file: server.path("roots.pem"))
    #expect(try settings(addRoots: roots).anchors.count == 2)
    #expect(try settings("gateway.example", addRoots: roots).anchors.count == 2 + roots.count)
    #expect(try settings(addRoots: roots.vouchingForAzure()).anchors.count == 2 + roots.count)
  }

  @Test func whatCannotBeToldIsRefused() async throws {
    #expect(try await failure { try settings(policy: Policy.named().withFragmentLength(.require(bytes: 512))) }.code == "UNSUPPORTED_BY_ENGINE")
    #expect(try settings(policy: Policy.named().withFragmentLength(.request(bytes: 512))).suites.count == 10)
    #expect(try await failure { try settings("hub.example", roots: .publicWeb) }.code == "UNSUPPORTED_BY_ENGINE")
    #expect(try await failure { try settings("") }.code == "INVALID_SERVER_NAME")
    #expect(try await failure { try settings(pins: []) }.code == "INVALID_ARGUMENT")
  }
}
