#if canImport(Network) && canImport(Security)
  import Foundation
  import Network
  import Security

  extension NWProtocolTLS.Options {
    /// A policy for Apple's own TLS: versions, cipher suites, trusted roots and the name to verify.
    ///
    /// Key exchange groups, those of a narrowed policy too, and signature schemes are the system's, and so are errors. No session is resumed. A fragment length that is requested is left out.
    ///
    /// - Parameters:
    ///   - serverName: The name to verify, and to send.
    ///   - policy: What may be offered and accepted; `iothub` if left out.
    ///   - roots: Trusted instead of the policy's roots.
    ///   - addRoots: Trusted as well, but not for Azure's own names.
    ///   - pins: Accept only chains that end in one of these roots.
    ///   - identity: The client's certificate and key, as the keychain has them.
    ///   - alpn: Protocols to offer with ALPN, most wanted first.
    /// - Throws: As `Config`; `UNSUPPORTED_BY_ENGINE` for what Network.framework cannot be told, `ROOT_NOT_FOR_AZURE`.
    public static func hubTLS(
      serverName: String, policy: Policy? = nil, roots: Roots? = nil, addRoots: Roots? = nil, pins: [String]? = nil, identity: SecIdentity? = nil,
      alpn: [String] = []
    ) throws -> NWProtocolTLS.Options {
      let settings = try NetworkSettings(serverName: serverName, policy: policy, roots: roots, addRoots: addRoots, pins: pins)
      let options = NWProtocolTLS.Options()
      let security = options.securityProtocolOptions
      guard let oldest = tls_protocol_version_t(rawValue: settings.oldest), let newest = tls_protocol_version_t(rawValue: settings.newest) else {
        throw HubTlsError("UNSUPPORTED_BY_ENGINE", "Network.framework does not know the policy's versions", hint: "use TLSStream")
      }
      sec_protocol_options_set_min_tls_protocol_version(security, oldest)
      sec_protocol_options_set_max_tls_protocol_version(security, newest)
      // A session that other options verified must not be taken up here, and nothing is negotiated twice.
      sec_protocol_options_set_tls_resumption_enabled(security, false)
      sec_protocol_options_set_tls_renegotiation_enabled(security, false)
      for suite in settings.suites.compactMap(tls_ciphersuite_t.init(rawValue:)) {
        sec_protocol_options_append_tls_ciphersuite(security, suite)
      }
      if settings.isName { sec_protocol_options_set_tls_server_name(security, settings.serverName) }
      for name in alpn { sec_protocol_options_add_tls_application_protocol(security, name) }
      if let identity {
        guard let local = sec_identity_create(identity) else {
          throw HubTlsError("INVALID_KEY", "the keychain's identity cannot be used", hint: "give one that has its private key")
        }
        sec_protocol_options_set_local_identity(security, local)
      }
      let queue = DispatchQueue(label: "hubtls")
      let verifier = try TrustVerifier(settings)
      sec_protocol_options_set_verify_block(
        security,
        { _, trust, complete in verifier.verify(sec_trust_copy_ref(trust).takeRetainedValue(), on: queue, then: complete) },
        queue)
      return options
    }
  }

  /// Judges a server's chain by the roots of the settings alone, and by its name.
  private final class TrustVerifier: @unchecked Sendable {
    private let settings: NetworkSettings
    private let anchors: [SecCertificate]

    init(_ settings: NetworkSettings) throws {
      self.settings = settings
      anchors = try settings.anchors.map { der in
        guard let certificate = SecCertificateCreateWithData(nil, der as CFData) else {
          throw HubTlsError("INVALID_CERTIFICATE", "the system does not read the certificate of a root", hint: "check that it is X.509 in DER or PEM")
        }
        return certificate
      }
    }

    func verify(_ trust: SecTrust, on queue: DispatchQueue, then complete: @escaping sec_protocol_verify_complete_t) {
      let isSet = [
        SecTrustSetPolicies(trust, SecPolicyCreateSSL(true, settings.serverName as CFString)),
        SecTrustSetAnchorCertificates(trust, anchors as CFArray),
        SecTrustSetAnchorCertificatesOnly(trust, true),
      ]
      guard isSet.allSatisfy({ $0 == errSecSuccess }) else { return complete(false) }
      let answer = Answer(give: complete)
      let begun = SecTrustEvaluateAsyncWithError(trust, queue) { [self] trust, isTrusted, _ in
        answer.give(isTrusted && isPinned(trust))
      }
      if begun != errSecSuccess { complete(false) }
    }

    /// Given once, in the queue.
    private struct Answer: @unchecked Sendable {
      let give: sec_protocol_verify_complete_t
    }

    private func isPinned(_ trust: SecTrust) -> Bool {
      guard !settings.pins.isEmpty else { return true }
      let chain = SecTrustCopyCertificateChain(trust) as? [SecCertificate]
      guard let root = chain?.last, let found = try? pin(ofCertificate: SecCertificateCopyData(root) as Data) else { return false }
      return settings.pins.contains(found)
    }
  }
#endif
