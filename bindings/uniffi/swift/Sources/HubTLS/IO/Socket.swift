import Foundation

#if canImport(Glibc)
  import Glibc
  private let streaming = Int32(SOCK_STREAM.rawValue)
  private let noSignal = Int32(MSG_NOSIGNAL)
#elseif canImport(Musl)
  import Musl
  private let streaming = SOCK_STREAM
  private let noSignal = Int32(MSG_NOSIGNAL)
#elseif canImport(Darwin)
  import Darwin
  private let streaming = SOCK_STREAM
  private let noSignal: Int32 = 0
#endif

/// Makes it non-blocking, and closed in programs that this one starts.
@discardableResult
func prepare(descriptor: Int32) -> Bool {
  let flags = fcntl(descriptor, F_GETFL)
  guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) >= 0 else { return false }
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC) >= 0
}

/// An address to connect to.
struct Address: Sendable {
  let family: Int32
  let bytes: [UInt8]
}

/// A connected, non-blocking socket; closed with the last that has it.
final class Socket: Sendable {
  /// What a call made of it.
  enum Outcome {
    case done(Int)
    case wouldBlock
    case failed(Int32)
  }

  let descriptor: Int32

  /// Takes the descriptor over: `INVALID_ARGUMENT` if it is none.
  init(adopting descriptor: Int32) throws {
    guard prepare(descriptor: descriptor) else {
      throw HubTlsError.invalid("\(descriptor) cannot be used as a socket: \(reason(errno))", hint: "give the descriptor of a connected socket")
    }
    self.descriptor = descriptor
    #if canImport(Darwin)
      var on: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
    #endif
  }

  deinit {
    closeDescriptor(descriptor)
  }

  /// Begins to connect; whether it has is to be asked when the socket can be written to.
  static func connecting(to address: Address) throws -> (Socket, failure: Int32) {
    let descriptor = socket(address.family, streaming, 0)
    guard descriptor >= 0 else { throw HubTlsError.io(errno) }
    let socket = try Socket(adopting: descriptor)
    return (socket, connectDescriptor(descriptor, to: address))
  }

  /// Why it could not be connected, or 0.
  var failure: Int32 {
    var (failure, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno
  }

  /// Small messages are to leave at once; a socket that cannot do that works as well.
  func sendAtOnce() {
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Moves what has arrived to `buffer`; 0 bytes are the end.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    outcome { recv(descriptor, buffer.baseAddress, buffer.count, 0) }
  }

  /// Sends what the system takes now.
  func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    outcome { sendBytes(descriptor, bytes) }
  }

  /// Ends the connection in both directions, and wakes who waits for it.
  func shutdown() {
    shutDescriptor(descriptor)
  }

  private func outcome(_ call: () -> Int) -> Outcome {
    while true {
      let count = call()
      if count >= 0 { return .done(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK: return .wouldBlock
      case let failure: return .failed(failure)
      }
    }
  }
}

// Calls of the system whose names methods have, too.

private func closeDescriptor(_ descriptor: Int32) {
  close(descriptor)
}

private func shutDescriptor(_ descriptor: Int32) {
  shutdown(descriptor, Int32(SHUT_RDWR))
}

private func sendBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  send(descriptor, bytes.baseAddress, bytes.count, noSignal)
}

/// 0, or why it is not connected: EINPROGRESS if it may be soon.
private func connectDescriptor(_ descriptor: Int32, to address: Address) -> Int32 {
  let result = address.bytes.withUnsafeBytes { bytes in
    connect(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
  }
  return result == 0 ? 0 : errno
}
