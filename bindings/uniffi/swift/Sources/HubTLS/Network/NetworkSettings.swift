import Foundation

/// What a policy and its trust mean in the words of Apple's Network.framework.
struct NetworkSettings: Sendable {
  /// Numbers of `tls_protocol_version_t`.
  let (oldest, newest): (UInt16, UInt16)
  /// Numbers of `tls_ciphersuite_t`.
  let suites: [UInt16]
  /// The name to verify, without brackets or a final dot.
  let serverName: String
  /// Whether it is a name and no address, and so to be sent.
  let isName: Bool
  /// The certificates, in DER, of the roots that are believed about that name.
  let anchors: [Data]
  /// Empty if any of these will do.
  let pins: [String]

  init(serverName given: String, policy: Policy?, roots: Roots?, addRoots: Roots?, pins: [String]?) throws {
    let config = try Config(policy: policy, roots: roots, addRoots: addRoots, pins: pins)
    var serverName = bare(given)
    if serverName.hasSuffix(".") { serverName.removeLast() }
    isName = !serverName.contains(":") && serverName.contains { !$0.isNumber && $0 != "." }
    _ = try Connection(config, serverName: serverName)
    if case .require = config.policy.fragmentLength {
      throw NetworkSettings.unsupported("a fragment length", hint: "request one instead of requiring it, or use TLSStream")
    }
    let versions = config.policy.versions.map { UInt16($0.code) }
    (oldest, newest) = (versions.min() ?? 0, versions.max() ?? 0)
    suites = config.policy.suites.map { UInt16($0.code) }
    self.serverName = serverName
    self.pins = config.pins
    anchors = try config.roots.believed(about: serverName).all.map { root in
      guard let pem = root.pem, let der = der(ofPem: pem) else {
        throw NetworkSettings.unsupported("the root \(root.subject), of which only name and key are known,", hint: "give its certificate, or use TLSStream")
      }
      return der
    }
    guard !anchors.isEmpty else {
      throw HubTlsError(
        "ROOT_NOT_FOR_AZURE", "no root may vouch for \(serverName)", hint: "use vouchingForAzure() on roots that are to vouch for names of Azure's")
    }
  }

  private static func unsupported(_ what: String, hint: String) -> HubTlsError {
    HubTlsError("UNSUPPORTED_BY_ENGINE", "\(what) cannot be told to Network.framework", hint: hint)
  }
}

/// What stands between the lines of dashes.
private func der(ofPem pem: String) -> Data? {
  let lines = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
  return Data(base64Encoded: lines.joined())
}
