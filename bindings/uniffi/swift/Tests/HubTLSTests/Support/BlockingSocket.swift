import Foundation

#if canImport(Glibc)
  import Glibc
  private let streaming = Int32(SOCK_STREAM.rawValue)
#else
  private let streaming = SOCK_STREAM
#endif

/// Plain sockets on loopback.
enum BlockingSocket {
  /// A listener that accepts nothing, closed with its last reference.
  final class Listener: Sendable {
    let descriptor: Int32
    let port: Int

    fileprivate init(_ descriptor: Int32, _ port: Int) {
      (self.descriptor, self.port) = (descriptor, port)
    }

    deinit {
      close(descriptor)
    }

    /// Whether the first client ends its connection within some seconds, and sends nothing before.
    func waitForEnd() -> Bool {
      let client = accept(descriptor, nil, nil)
      defer { close(client) }
      var (byte, limit) = (UInt8(0), timeval(tv_sec: 10, tv_usec: 0))
      setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      return recv(client, &byte, 1, 0) == 0
    }

    /// Answers the first bytes of the first client with these, and cuts the connection.
    func answerAndCut(_ bytes: Data) {
      let client = accept(descriptor, nil, nil)
      var (buffer, now) = ([UInt8](repeating: 0, count: 4_096), linger(l_onoff: 1, l_linger: 0))
      _ = recv(client, &buffer, buffer.count, 0)
      _ = bytes.withUnsafeBytes { send(client, $0.baseAddress, $0.count, 0) }
      setsockopt(client, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
      close(client)
    }
  }

  static func connected(to port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, streaming, 0)
    guard with(address(port), { connect(descriptor, $0, $1) }) == 0 else { throw Broken("not connected: \(errno)") }
    return descriptor
  }

  static func listening() throws -> Listener {
    let descriptor = socket(AF_INET, streaming, 0)
    guard with(address(0), { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else { throw Broken("not listening: \(errno)") }
    var (bound, size) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    _ = withUnsafeMutablePointer(to: &bound) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return Listener(descriptor, Int(UInt16(bigEndian: bound.sin_port)))
  }

  /// A port that nobody listens at.
  static func freePort() throws -> Int {
    try listening().port
  }

  private static func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
  }

  private static func with(_ address: sockaddr_in, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
