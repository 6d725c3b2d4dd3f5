import HubTlsFFI

/// What may be offered and accepted: versions, cipher suites, groups, roots, fragment length. Immutable; can be narrowed, never widened.
public struct Policy: Sendable {
  let inner: HubTlsFFI.Policy

  init(_ inner: HubTlsFFI.Policy) {
    self.inner = inner
  }

  /// The policy of that name: `iothub`, `iothub-ecc`, `iothub-aead`, `iothub-tls12`, or a dated one. `UNKNOWN_POLICY` suggests another.
  public static func named(_ name: String = "iothub") throws -> Policy {
    Policy(try translated { try HubTlsFFI.Policy.named(name: name) })
  }

  /// Every dated policy.
  public static var all: [Policy] {
    allPolicies().map(Policy.init)
  }

  /// Each alias with the dated policy that it stands for.
  public static var aliases: [PolicyAlias] {
    policyAliases()
  }

  /// From a policy document in JSON: `INVALID_POLICY_DOCUMENT`, `POLICY_WIDENED`.
  public init(json: String) throws {
    inner = try translated { try HubTlsFFI.Policy.fromJson(text: json) }
  }

  /// As a policy document in JSON.
  public var json: String { inner.toJson() }
  /// The name of the dated policy that it is or was narrowed from.
  public var name: String { inner.name() }
  /// Whether it is narrower than the dated policy of its name.
  public var isNarrowed: Bool { inner.isNarrowed() }
  /// TLS versions, newest first, with their numbers on the wire.
  public var versions: [NamedCode] { inner.versions() }
  /// Cipher suites, most wanted first.
  public var suites: [CipherSuite] { inner.suites() }
  /// Key exchange groups, most wanted first, by IANA's names.
  public var groups: [NamedCode] { inner.groups() }
  /// Signature schemes, most wanted first, by IANA's names.
  public var signatureSchemes: [NamedCode] { inner.signatureSchemes() }
  /// SHA-256 of the certificates of its roots, in upper-case hexadecimal.
  public var roots: [String] { inner.roots() }
  /// The fragment length to negotiate.
  public var fragmentLength: FragmentLength { inner.fragmentLength() }
  /// What is allowed but unwise, a sentence each.
  public var warnings: [String] { inner.warnings() }

  /// Only these versions of it: `UNKNOWN_VERSION`, `POLICY_WIDENED`, `POLICY_EMPTY`.
  public func onlyVersions(_ names: [String]) throws -> Policy {
    Policy(try translated { try inner.onlyVersions(names: names) })
  }

  /// Only these suites of it, by IANA's, OpenSSL's or GnuTLS's names: `UNKNOWN_SUITE`, `POLICY_WIDENED`, `POLICY_EMPTY`.
  public func onlySuites(_ names: [String]) throws -> Policy {
    Policy(try translated { try inner.onlySuites(names: names) })
  }

  /// Only these groups of it: `UNKNOWN_GROUP`, `POLICY_WIDENED`, `POLICY_EMPTY`.
  public func onlyGroups(_ names: [String]) throws -> Policy {
    Policy(try translated { try inner.onlyGroups(names: names) })
  }

  /// Only suites whose server authenticates with `ECDSA` or `RSA`.
  public func onlyAuthentication(_ name: String) throws -> Policy {
    Policy(try translated { try inner.onlyAuthentication(name: name) })
  }

  /// The same with this fragment length: `INVALID_FRAGMENT_LENGTH`.
  public func withFragmentLength(_ fragmentLength: FragmentLength) throws -> Policy {
    Policy(try translated { try inner.withFragmentLength(fragmentLength: fragmentLength) })
  }
}

/// An alias with the dated policy that it stands for.
public typealias PolicyAlias = HubTlsFFI.PolicyAlias

/// A name with the number that IANA gave it.
public typealias NamedCode = HubTlsFFI.NamedCode

/// A cipher suite by the names that the world has for it.
public typealias CipherSuite = HubTlsFFI.CipherSuite

/// Whether to negotiate a maximum fragment length (RFC 6066, section 4): `.off`, `.request(bytes: 512)` or `.require(bytes: 512)`.
public typealias FragmentLength = HubTlsFFI.FragmentLength
