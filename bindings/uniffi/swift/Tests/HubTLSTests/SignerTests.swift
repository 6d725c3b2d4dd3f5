import Foundation
import Testing

@testable import HubTLS

/// Signs with the openssl command, which stands for a token.
private struct Token: Signer {
  let key: String

  func sign(_ content: Data, scheme: String) throws -> Data {
    let digest = ["ecdsa_secp256r1_sha256": "-sha256", "rsa_pss_rsae_sha256": "-sha256"][scheme]
    guard let digest else { throw Broken("no \(scheme)") }
    let padding = scheme.hasPrefix("rsa") ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] : []
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl", "dgst", digest] + padding + ["-sign", key]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    input.fileHandleForWriting.write(content)
    try input.fileHandleForWriting.close()
    let signature = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return signature
  }

  var schemes: [String]? { ["ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"] }
}

private struct Reason: LocalizedError {
  var errorDescription: String? { "the token was removed" }
}

/// Works when the identity is made, and then does what `then` does.
private final class Later: Signer, @unchecked Sendable {
  private let token: Token
  private let lock = NSLock()
  private var isFirst = true
  private let then: @Sendable (Data) throws -> Data

  init(_ token: Token, then: @escaping @Sendable (Data) throws -> Data) {
    self.token = token
    self.then = then
  }

  var schemes: [String]? { ["ecdsa_secp256r1_sha256"] }

  func sign(_ content: Data, scheme: String) throws -> Data {
    let isFirst = lock.withLock {
      defer { self.isFirst = false }
      return self.isFirst
    }
    return isFirst ? try token.sign(content, scheme: scheme) : try then(content)
  }
}

@Suite(.serialized) struct SignerTests {
  private static let demanding = "OpenSSL with TLS 1.3 accepts a client certificate with a key p256"

  private func token(_ server: Server) -> Token {
    Token(key: server.path("identity.key"))
  }

  private func connect(_ server: Server, _ identity: Identity, timeout: Duration = patience) async throws -> TLSStream {
    let config = try Config(roots: Roots(file: server.path("roots.pem")), identity: identity)
    return try await TLSStream.connect(host: server.host, port: server.port, config: config, serverName: "localhost", timeout: timeout)
  }

  @Test(arguments: [
    "OpenSSL with TLS 1.2 accepts a client certificate with a key p256",
    "OpenSSL with TLS 1.3 accepts a client certificate with a key p256",
    "OpenSSL with TLS 1.3 accepts a client certificate with a key rsa2048",
  ])
  func aKeyHeldElsewhereSigns(_ row: String) async throws {
    let server = try await Server.scenario(row)
    let identity = try Identity(chain: server.file("identity.chain"), signer: token(server))
    let stream = try await connect(server, identity)
    try await stream.write(server.send)
    #expect(try await stream.read(exactly: server.receive.count) == server.receive)
    #expect(stream.negotiated.clientCertificateRequested)
  }

  @Test func whatASignerThrowsIsTheErrorOfTheHandshake() async throws {
    let server = try await Server.scenario(Self.demanding)
    let signer = Later(token(server)) { _ in throw Reason() }
    let identity = try Identity(chain: server.file("identity.chain"), signer: signer)
    let failed = try await failure { try await connect(server, identity) }
    #expect(failed.code == "SIGNER_FAILED" && failed.sentence.contains("the token was removed"))
  }

  @Test func aSignerIsTriedWhenTheIdentityIsMade() async throws {
    struct Missing: Signer {
      func sign(_ content: Data, scheme: String) throws -> Data { throw Reason() }
    }
    struct Wrong: Signer {
      func sign(_ content: Data, scheme: String) -> Data { Data("no signature".utf8) }
    }
    struct Unknown: Signer {
      func sign(_ content: Data, scheme: String) -> Data { Data() }
      var schemes: [String]? { ["md5"] }
    }
    struct Broke: Signer {
      func sign(_ content: Data, scheme: String) -> Data { Data() }
      var schemes: [String]? { get throws { throw Reason() } }
    }
    let server = try await Server.scenario(Self.demanding)
    let chain = try server.file("identity.chain")
    #expect(try await failure { try Identity(chain: chain, signer: Missing()) }.code == "SIGNER_FAILED")
    #expect(try await failure { try Identity(chain: chain, signer: Wrong()) }.number / 100 == 2)
    #expect(try await failure { try Identity(chain: chain, signer: Unknown()) }.code == "UNKNOWN_SIGNATURE_SCHEME")
    #expect(try await failure { try Identity(chain: chain, signer: Broke()) }.sentence.contains("the token was removed"))
  }

  @Test func signersThatBlockLeaveSwiftsPoolAlone() async throws {
    let server = try await Server.scenario(Self.demanding)
    let (asked, gate) = (Locked(0), DispatchSemaphore(value: 0))
    let token = token(server)
    let signer = Later(token) { content in
      asked.with { $0 += 1 }
      gate.wait()
      return try token.sign(content, scheme: "ecdsa_secp256r1_sha256")
    }
    let identity = try Identity(chain: server.file("identity.chain"), signer: signer)
    // A server of OpenSSL's serves one connection at a time, so each has its own.
    let handshakes = 3 * ProcessInfo.processInfo.activeProcessorCount
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<handshakes {
        group.addTask {
          let own = try await Server.scenario("mosquitto accepts a client certificate in TLS 1.3")
          _ = try await connect(own, identity)
        }
      }
      // If they held the pool, this task would never see the last of them.
      while asked.with({ $0 }) < handshakes { await Task.yield() }
      let begin = ContinuousClock.now
      await Task.detached {}.value
      #expect(ContinuousClock.now - begin < .seconds(1))
      for _ in 0..<handshakes { gate.signal() }
      try await group.waitForAll()
    }
  }

  @Test func aHandshakeCanBeCancelledWhileItIsSignedFor() async throws {
    let server = try await Server.scenario(Self.demanding)
    let (asked, gate) = (Locked(false), DispatchSemaphore(value: 0))
    let signer = Later(token(server)) { _ in
      asked.with { $0 = true }
      gate.wait()
      throw Reason()
    }
    let identity = try Identity(chain: server.file("identity.chain"), signer: signer)
    let connecting = Task { try await connect(server, identity) }
    while !asked.with({ $0 }) { await Task.yield() }
    connecting.cancel()
    await #expect(throws: CancellationError.self) { _ = try await connecting.value }
    gate.signal()
  }
}
