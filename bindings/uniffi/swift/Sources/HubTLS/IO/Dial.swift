import Foundation

/// A socket that is connected to the first address of the host that answers: `UNREACHABLE`.
func dial(host: String, port: Int, until deadline: Deadline) async throws -> Socket {
  guard let port = UInt16(exactly: port), port > 0 else {
    throw HubTlsError.invalid("\(port) is no port", hint: "give 8883 for MQTT, 5671 for AMQP, 443 for HTTPS and WebSockets")
  }
  guard !host.utf8.contains(0) else { throw HubTlsError.invalid("the host contains a NUL", hint: "give a host name or an IP address") }
  let unreachable = { (failure: String) in
    HubTlsError(
      "UNREACHABLE", "\(host):\(port) cannot be reached: \(failure)",
      hint: "check host, port and network; a firewall that blocks 8883 (MQTT) often lets 443 (HTTPS and WebSockets) pass")
  }
  let late = "it did not answer in time"
  let addresses: [Address]
  do {
    addresses = try await outsideThePool(until: deadline) { try resolve(host, port) }
  } catch let failure as Unresolved {
    throw unreachable(failure.reason)
  } catch let error as HubTlsError where error == .timeout {
    throw unreachable("its name was not resolved in time")
  }
  var last = "it has no address"
  for (index, address) in addresses.enumerated() {
    // An address that never answers leaves their share to the others.
    let share = deadline.map { $0 - .now }.map { ContinuousClock.now + $0 / (addresses.count - index) }
    do {
      let (socket, begun) = try Socket.connecting(to: address)
      var failure = begun
      if failure == EINPROGRESS {
        try await Poller.shared.wait(for: .write, of: socket.descriptor, until: share)
        failure = socket.failure
      }
      if failure == 0 {
        socket.sendAtOnce()
        return socket
      }
      last = reason(failure)
    } catch let error as HubTlsError {
      last = error == .timeout ? late : error.sentence
    }
  }
  throw unreachable(last)
}

/// An address of IPv6 without the brackets that it has before a port.
func bare(_ host: String) -> String {
  host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
}

private struct Unresolved: Error {
  let reason: String
}

/// Blocks.
private func resolve(_ host: String, _ port: UInt16) throws -> [Address] {
  var hints = addrinfo()
  hints.ai_family = AF_UNSPEC
  hints.ai_protocol = Int32(IPPROTO_TCP)
  hints.ai_flags = AI_NUMERICSERV
  var found: UnsafeMutablePointer<addrinfo>?
  let failure = getaddrinfo(bare(host), String(port), &hints, &found)
  guard failure == 0 else { throw Unresolved(reason: String(cString: gai_strerror(failure))) }
  defer { freeaddrinfo(found) }
  return sequence(first: found, next: { $0?.pointee.ai_next }).compactMap { node in
    guard let entry = node?.pointee, let address = entry.ai_addr else { return nil }
    let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
    return Address(family: entry.ai_family, bytes: Array(bytes))
  }
}
