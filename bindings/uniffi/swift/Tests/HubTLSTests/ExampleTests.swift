import Foundation
import HubTLS
import Testing

/// The device of examples/swift, which `Tests/inside` builds.
@Suite(.serialized) struct ExampleTests {
  private func device(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(ProcessInfo.processInfo.environment["HUBTLS_DEVICE"], "HUBTLS_DEVICE names no program"))
    process.arguments = arguments
    return try await ran(process)
  }

  @Test func theDeviceDeliversItsTelemetry() async throws {
    let broker = try await Server.scenario("mosquitto accepts a client certificate in TLS 1.3")
    let files = ["identity.chain", "identity.key", "roots.pem"].map(broker.path)
    let delivered = try await device(["localhost:\(broker.port)", "device-p256"] + files)
    #expect(delivered.status == 0 && delivered.errors.isEmpty, "\(delivered.errors)")
    #expect(delivered.output == "connected: TLSv1.3, TLS_AES_256_GCM_SHA384\ntelemetry delivered\n")
  }

  @Test func theDeviceSaysWhatIsWrong() async throws {
    let broker = try await Server.scenario("mosquitto accepts a client certificate in TLS 1.3")
    let files = ["identity.chain", "identity.key"].map(broker.path)
    let untrusted = try await device(["localhost:\(broker.port)", "device-p256"] + files)
    #expect(untrusted.status == 1 && untrusted.errors.hasPrefix("UNKNOWN_ROOT: "))
    let away = try await device(["localhost:\(BlockingSocket.freePort())", "device-p256"] + files)
    #expect(away.status == 1 && away.errors.hasPrefix("UNREACHABLE: "))
    let unread = try await device(["localhost", "device-p256", "/nowhere", "/nowhere"])
    #expect(unread.status == 1 && unread.errors.hasPrefix("INVALID_ARGUMENT: /nowhere"))
    let asked = try await device([])
    #expect(asked.status == 1 && asked.errors.hasPrefix("usage: "))
  }
}
