import Foundation
import Testing

@testable import HubTLS

@Suite struct ConfigTests {
  @Test func withoutOptionsItIsThePolicyIothub() throws {
    let config = try Config()
    #expect(config.policy.name == "iothub-2025-08" && !config.policy.isNarrowed)
    #expect(config.roots.pem == Roots.azure.pem && config.roots.count == 2)
    #expect(config.identity == nil && config.pins.isEmpty && config.warnings.isEmpty)
  }

  @Test(arguments: Policy.aliases.map(\.name) + Policy.all.map(\.name))
  func everyPolicyConnects(_ name: String) async throws {
    let server = try await Server.echo()
    let policy = try Policy.named(name)
    let config = try Config(policy: policy, roots: Roots(file: server.path("roots.pem")))
    let stream = try await TLSStream.connect(host: "localhost", port: server.port, config: config, timeout: patience)
    #expect(policy.versions.map(\.name).contains(stream.negotiated.version))
    #expect(policy.suites.map(\.name).contains(stream.negotiated.cipherSuite))
    #expect(try await stream.echo(Data("hello".utf8)) == Data("hello".utf8))
  }

  @Test func aPolicyIsNarrowedAndNeverWidened() async throws {
    let policy = try Policy.named()
    #expect(try policy.onlyVersions(["TLSv1.3"]).suites.count == 2)
    #expect(try policy.onlySuites(["ECDHE-RSA-AES128-GCM-SHA256"]).suites.map(\.code) == [0xC02F])
    #expect(try policy.onlyGroups(["X25519"]).groups.map(\.code) == [29])
    #expect(try policy.onlyAuthentication("ECDSA").suites.count == 4)
    #expect(try policy.withFragmentLength(.request(bytes: 512)).fragmentLength == .request(bytes: 512))
    #expect(try Policy(json: policy.json).name == policy.name)
    #expect(try await failure { try policy.onlySuites(["TLS_RSA_WITH_AES_128_CBC_SHA"]) }.code == "POLICY_WIDENED")
    #expect(try await failure { try policy.onlyVersions(["TLSv1.9"]) }.code == "UNKNOWN_VERSION")
    #expect(try await failure { try policy.onlyGroups([]) }.code == "POLICY_EMPTY")
    #expect(try await failure { try Policy.named("iot-hub") }.hint.contains("iothub"))
  }

  @Test func aWrongOptionIsFoundWhenItIsGiven() async throws {
    #expect(try await failure { try Config(pins: []) }.code == "INVALID_ARGUMENT")
    #expect(try await failure { try Config(pins: ["x"]) }.code == "INVALID_PIN")
    #expect(try await failure { try Config(requireRevocationStatus: true) }.code == "INVALID_ARGUMENT")
    #expect(try await failure { try Config(alpn: [""]) }.code == "INVALID_ALPN")
    #expect(try await failure { try Config(keyLog: "/nowhere/at/all") }.code == "IO")
    #expect(try await failure { try Config(time: Date(timeIntervalSince1970: -1)) }.code == "INVALID_ARGUMENT")
    #expect(try await failure { try Config(time: Date(timeIntervalSince1970: .nan)) }.code == "INVALID_ARGUMENT")
    #expect(try await failure { try Config(fragmentLength: .request(bytes: 513)) }.code == "INVALID_FRAGMENT_LENGTH")
    #expect(try await failure { try Roots(pem: "") }.code == "NO_CERTIFICATE")
    #expect(try await failure { try Roots(file: "/nowhere") }.code == "INVALID_ARGUMENT")
  }

  @Test func aPinIsMadeFromARoot() throws {
    let root = try #require(Roots.azure.all.first)
    let certificate = try #require(root.pem)
    #expect(try pin(ofCertificate: Data(certificate.utf8)) == root.pin)
    #expect(try Config(pins: [certificate]).pins == [root.pin])
    #expect(try Config().withRoots(.embedded).roots.count == Roots.embedded.count)
    #expect(try Roots.azure.readiness(withinDays: 30).ready)
  }

  @Test func anIdentityIsReadFromEveryForm() async throws {
    let folder = try await fixtures()
    let (chain, certificate) = (try folder.file("p256.chain"), try folder.file("p256.crt.der"))
    let passphrase = "correct horse"
    let read = [
      try Identity(pem: chain, key: folder.file("p256.key")),
      try Identity(pem: chain, key: folder.file("p256.sec1")),
      try Identity(pem: chain, key: folder.file("p256.encrypted"), passphrase: passphrase),
      try Identity(der: [certificate], key: folder.file("p256.key.der")),
      try Identity(der: [certificate], key: folder.file("p256.encrypted.der"), passphrase: passphrase),
      try Identity(pkcs12: folder.file("p256.p12"), passphrase: passphrase),
      try Identity(pkcs12File: folder.path("p256.p12"), passphrase: passphrase),
      try Identity(chainFile: folder.path("p256.chain"), keyFile: folder.path("p256.key")),
    ]
    for identity in read {
      #expect(identity.keyAlgorithm == "P-256" && identity.subject == "device-p256" && identity.chain.first?.der == certificate)
    }
    #expect(try #require(Certificate.read(der: certificate).expiry) > .now)
    let key = try folder.file("rsa2048.key")
    #expect(try await failure { try Identity(pem: chain, key: key) }.code == "KEY_MISMATCH")
    let encrypted = try folder.file("p256.encrypted")
    #expect(try await failure { try Identity(pem: chain, key: encrypted) }.code == "PASSPHRASE_REQUIRED")
    #expect(try await failure { try Identity(pem: chain, key: encrypted, passphrase: "wrong") }.code == "WRONG_PASSPHRASE")
    let expired = try Identity(chainFile: folder.path("expired.chain"), keyFile: folder.path("expired.key"))
    #expect(try Config(identity: expired).warnings.count == 1)
    #expect(try await failure { try Config(identity: expired, refuseInvalidIdentity: true) }.code == "IDENTITY_EXPIRED")
  }

  @Test func theLengthOfFragmentsIsNegotiated() async throws {
    for row in ["OpenSSL with TLS 1.2 agrees to ECDHE-RSA-AES128-GCM-SHA256", "OpenSSL with an ECDSA P-384 certificate is verified"] {
      let server = try await Server.scenario(row)
      let config = try Config(roots: Roots(file: server.path("roots.pem")), fragmentLength: .require(bytes: 512))
      let stream = try await TLSStream.connect(host: server.host, port: server.port, config: config, serverName: "localhost", timeout: patience)
      #expect(stream.negotiated.fragmentLength == 512)
      // More than is encrypted at once, in many records.
      let line = Data(repeating: UInt8(ascii: "x"), count: 15_000) + Data("\n".utf8)
      for _ in 0..<4 {
        try await stream.write(line)
        #expect(try await stream.read(exactly: line.count).count == line.count)
      }
    }
    let without = try await Server.echo()
    let config = try Config(roots: Roots(file: without.path("roots.pem")), fragmentLength: .require(bytes: 512))
    let refused = try await failure { try await TLSStream.connect(host: "localhost", port: without.port, config: config, timeout: patience) }
    #expect(refused.code == "FRAGMENT_LENGTH_REFUSED")
  }

  @Test func everyErrorHasItsNumber() throws {
    let codes = errorCodes()
    #expect(codes.count > 50 && Set(codes.map(\.number)).count == codes.count)
    #expect(HubTlsError.timeout.number == 403 && HubTlsError.closed.number == 404)
    #expect("\(HubTlsError.timeout)".hasPrefix("TIMEOUT: the peer did not answer in time ("))
    #expect(version().split(separator: ".").count == 3)
  }

  @Test func whatTheLibraryNeverThrowsIsInternal() async throws {
    struct Panic: Error {}
    let panicked = try await failure { try translated { throw Panic() } }
    #expect(panicked.code == "INTERNAL" && panicked.number == 901)
  }

  /// Goes with its last reference.
  private final class Folder: Sendable {
    let name = "/tmp/hubtls-swift-\(UInt64.random(in: 0...UInt64.max))"

    deinit {
      try? FileManager.default.removeItem(atPath: Machine.seen(name))
    }

    func path(_ file: String) -> String {
      "\(Machine.seen(name))/\(file)"
    }

    func file(_ file: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: path(file)))
    }
  }

  /// The forms that tests/src/bin/fixture_files.rs writes.
  private func fixtures() async throws -> Folder {
    let folder = Folder()
    let made = try await ran(Machine.test("fixture-files", [folder.name]))
    #expect(made.status == 0, "\(made.errors)")
    return folder
  }
}
