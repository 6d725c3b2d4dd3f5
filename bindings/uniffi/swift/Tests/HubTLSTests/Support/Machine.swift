import Foundation

/// The machine that real servers run on: this one, or the one around the folder that Swift is in (`Tests/toolchain`).
enum Machine {
  private static let environment = ProcessInfo.processInfo.environment
  /// Its files lie below this folder; empty if they lie where they say.
  private static let root = environment["HUBTLS_HOST"] ?? ""
  /// Where `cargo build -p hubtls-tests --bins` put its programs, as the machine names it.
  private static let programs = environment["HUBTLS_PROGRAMS"] ?? ""

  /// How its path is seen from here.
  static func seen(_ path: String) -> String {
    root + path
  }

  /// A program of its own that is yet to be started.
  static func program(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = (root.isEmpty ? [] : ["chroot", root]) + arguments
    return process
  }

  /// A program of tests/.
  static func test(_ name: String, _ arguments: [String]) -> Process {
    precondition(!programs.isEmpty, "HUBTLS_PROGRAMS names no folder")
    return program(["\(programs)/\(name)"] + arguments)
  }
}

/// A server of tests/ that prints a line of JSON; serves for as long as this lives.
final class Server: @unchecked Sendable {
  let host: String
  let port: Int
  let send: Data
  let receive: Data
  private let directory: String
  private let process: Process
  private let input = Pipe()

  private init(_ name: String, _ arguments: [String]) throws {
    process = Machine.test(name, arguments)
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let line = Server.line(from: output.fileHandleForReading)
    guard let told = try JSONSerialization.jsonObject(with: line) as? [String: Any],
      let host = told["host"] as? String, let port = told["port"] as? Int, let directory = told["directory"] as? String
    else { throw Broken("\(name) said \(String(decoding: line, as: UTF8.self))") }
    (self.host, self.port, self.directory) = (host, port, directory)
    send = Data(hexadecimal: told["send"] as? String ?? "")
    receive = Data(hexadecimal: told["receive"] as? String ?? "")
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// The server of a row of tests/scenarios.json.
  static func scenario(_ name: String) async throws -> Server {
    try await patiently { try Server("scenario-server", [name]) }
  }

  /// Sends back whatever comes, over any number of connections at once.
  static func echo() async throws -> Server {
    try await patiently { try Server("echo-server", []) }
  }

  /// The path of a file beside it.
  func path(_ name: String) -> String {
    "\(Machine.seen(directory))/\(name)"
  }

  /// The content of a file beside it.
  func file(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }

  private static func line(from handle: FileHandle) -> Data {
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let piece = handle.availableData
      if piece.isEmpty { break }
      line.append(piece)
    }
    return line
  }
}

struct Broken: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Does what blocks outside Swift's pool.
func patiently<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
  }
}

/// Runs a program to its end.
func ran(_ process: Process) async throws -> (status: Int32, output: String, errors: String) {
  try await patiently {
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let (said, complained) = (output.fileHandleForReading.readDataToEndOfFile(), errors.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: said, as: UTF8.self), String(decoding: complained, as: UTF8.self))
  }
}

extension Data {
  init(hexadecimal text: String) {
    let digits = Array(text)
    self.init(stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) })
  }
}
