import Foundation
import HubTLS
import Testing

/// A row of tests/scenarios.json; tests/README.md says what it means.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  let client: Client
  /// A failure, or an agreement.
  let expected: Data

  var testDescription: String { name }

  struct Client: Decodable, Sendable {
    var policy: String?
    var versions: [String]?
    var suites: [String]?
    var groups: [String]?
    var trust: String?
    var pin: String?
    var vouchingForAzure: Bool?
    var revocationLists: Bool?
    var serverName: String?
    var identity: String?
    var alpn: [String]?
    var resume: Bool?
    var time: Double?
    var handshakeTimeoutMs: Int?
  }

  static let all: [Scenario] = {
    do {
      let table = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../../tests/scenarios.json").standardized
      let rows = try JSONSerialization.jsonObject(with: Data(contentsOf: table)) as? [[String: Any]] ?? []
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try rows.map { row in
        let client = try JSONSerialization.data(withJSONObject: row["client"] ?? [:])
        let expected = try JSONSerialization.data(withJSONObject: row["expect"] ?? [:])
        return Scenario(name: row["name"] as? String ?? "", client: try decoder.decode(Client.self, from: client), expected: expected)
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  /// The configuration that it asks for.
  func config(_ server: Server) throws -> Config {
    var policy = try Policy.named(client.policy ?? "iothub")
    if let versions = client.versions { policy = try policy.onlyVersions(versions) }
    if let suites = client.suites { policy = try policy.onlySuites(suites) }
    if let groups = client.groups { policy = try policy.onlyGroups(groups) }
    let trust = client.trust ?? "replaced"
    let given = try Roots(file: server.path(trust == "unrelated" ? "unrelated.pem" : "roots.pem")).vouchingForAzure(client.vouchingForAzure ?? false)
    return try Config(
      policy: policy,
      roots: ["replaced", "unrelated"].contains(trust) ? given : nil,
      addRoots: trust == "added" ? given : nil,
      pins: client.pin.map { [String(decoding: try server.file("\($0)-root.pem"), as: UTF8.self)] },
      identity: client.identity == nil ? nil : Identity(chainFile: server.path("identity.chain"), keyFile: server.path("identity.key")),
      revocationLists: client.revocationLists == true ? [server.file("revocation.pem")] : [],
      alpn: client.alpn ?? [],
      time: client.time.map(Date.init(timeIntervalSince1970:))
    )
  }

  /// Connects, holds the conversation and tells what was agreed.
  func converse(_ config: Config, _ server: Server) async throws -> Negotiated {
    let stream = try await TLSStream.connect(
      host: server.host, port: server.port, config: config, serverName: client.serverName ?? "localhost",
      timeout: client.handshakeTimeoutMs.map { .milliseconds($0) } ?? patience)
    try await stream.write(server.send)
    #expect(try await stream.read(exactly: server.receive.count) == server.receive)
    try await stream.finish()
    return stream.negotiated
  }
}

@Suite(.serialized) struct ScenarioTests {
  @Test(arguments: Scenario.all)
  func row(_ scenario: Scenario) async throws {
    let server = try await Server.scenario(scenario.name)
    let config = try scenario.config(server)
    let expected = try #require(try JSONSerialization.jsonObject(with: scenario.expected) as? [String: Any])
    if let code = expected["error"] as? String {
      let error = try await failure { try await scenario.converse(config, server) }
      #expect(error.code == code, "\(error)")
      if let alert = expected["alert"] { #expect(error.alert == alert as? String) }
      if let word = expected["says"] as? String {
        #expect("\(error.sentence) \(error.hint)".lowercased().contains(word.lowercased()), "\(error)")
      }
      return
    }
    if scenario.client.resume == true { _ = try await scenario.converse(config, server) }
    let agreed = try await scenario.converse(config, server)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(agreed.json.utf8)) as? [String: Any])
    for (key, value) in expected {
      #expect("\(json[key] ?? "missing")" == "\(value)", "\(key)")
    }
  }

  @Test func everyRowOfTheProgramIsRunHere() async throws {
    let listed = try await ran(Machine.test("scenario-server", ["--list"]))
    #expect(listed.output.split(separator: "\n").map(String.init) == Scenario.all.map(\.name))
  }
}
