// A small device: connects to Azure IoT Hub, or to any MQTT 3.1.1 broker, with its certificate, and sends one telemetry message.
//
//   swift run device my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]

import Foundation
import HubTLS

@main struct Device {
  static let usage = "usage: device HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]"

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 4 || arguments.count == 5 else { fail(usage) }
    do {
      try await deliver(arguments)
    } catch let error as HubTlsError {
      fail("\(error)")
    } catch {
      fail("not delivered: \(error)")
    }
  }

  static func deliver(_ arguments: [String]) async throws {
    let address = arguments[0].split(separator: ":", maxSplits: 1).map(String.init)
    let (host, port, device) = (address[0], address.count == 2 ? Int(address[1]) ?? 0 : 8883, arguments[1])

    // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    // A program makes it once and shares it by all its connections.
    let config = try Config(
      addRoots: arguments.count == 5 ? Roots(file: arguments[4]) : nil,
      identity: Identity(chainFile: arguments[2], keyFile: arguments[3]))
    for warning in config.warnings { complain("warning: \(warning)") }

    let stream = try await TLSStream.connect(host: host, port: port, config: config)
    print("connected: \(stream.negotiated.version), \(stream.negotiated.cipherSuite)")

    let mqtt = MQTT(stream)
    try await mqtt.connect(client: device, user: "\(host)/\(device)/?api-version=2021-04-12")
    try await mqtt.publish(#"{"temperature":21.5}"#, to: "devices/\(device)/messages/events/")
    print("telemetry delivered")
    try await mqtt.disconnect()
    // Says that nothing more comes, so that the hub can tell this end from a cut connection.
    try await stream.finish()
  }

  static func complain(_ words: String) {
    FileHandle.standardError.write(Data("\(words)\n".utf8))
  }

  static func fail(_ words: String) -> Never {
    complain(words)
    exit(1)
  }
}
