package org.hubtls

import org.hubtls.ffi.allPolicies
import org.hubtls.ffi.policyAliases
import org.hubtls.ffi.Policy as Beneath

/** What may be offered and accepted: versions, cipher suites, groups, roots, fragment length. Immutable; can be narrowed, never widened. */
class Policy internal constructor(internal val beneath: Beneath) {
    /** The name of the dated policy that it is or was narrowed from. */
    val name: String get() = calling { beneath.name() }

    /** Whether it is narrower than the dated policy of its name. */
    val isNarrowed: Boolean get() = calling { beneath.isNarrowed() }

    /** TLS versions, newest first, as JSSE names them: `TLSv1.3`, `TLSv1.2`. */
    val versions: List<String> by lazy { calling { beneath.jsseProtocols() } }

    /** Cipher suites, most wanted first, by IANA's names, which are JSSE's too. */
    val suites: List<String> by lazy { calling { beneath.jsseCipherSuites() } }

    /** Key exchange groups, most wanted first, by IANA's names. */
    val groups: List<String> get() = calling { beneath.groups().map { it.name } }

    /** Signature schemes, most wanted first, by IANA's names, which are JSSE's too. */
    val signatureSchemes: List<String> get() = calling { beneath.jsseSignatureSchemes() }

    /** The key exchange groups for `SSLParameters.setNamedGroups` of Java 20 and later, and for the property `jdk.tls.namedGroups`. */
    val jsseNamedGroups: List<String> get() = calling { beneath.jsseNamedGroups() }

    /** What `SSLParameters.setMaximumPacketSize` takes so that Java asks for the policy's fragment length; null if that is off. */
    val jsseMaximumPacketSize: Int? get() = calling { beneath.jsseMaximumPacketSize() }

    /** The fragment length to negotiate. */
    val fragmentLength: FragmentLength get() = calling { FragmentLength.of(beneath.fragmentLength()) }

    /** SHA-256 of the certificates of its roots, in upper-case hex. */
    val roots: List<String> get() = calling { beneath.roots() }

    /** What is allowed but unwise, a sentence each. */
    val warnings: List<String> get() = calling { beneath.warnings() }

    /** Only these versions of it: `UNKNOWN_VERSION`, `POLICY_WIDENED`, `POLICY_EMPTY`. */
    @Throws(HubTlsException::class)
    fun onlyVersions(names: List<String>): Policy = calling { Policy(beneath.onlyVersions(names)) }

    /** Only these versions of it. */
    @Throws(HubTlsException::class)
    fun onlyVersions(vararg names: String): Policy = onlyVersions(names.asList())

    /** Only these suites of it, by IANA's, OpenSSL's or GnuTLS's names: `UNKNOWN_SUITE`, `POLICY_WIDENED`, `POLICY_EMPTY`. */
    @Throws(HubTlsException::class)
    fun onlySuites(names: List<String>): Policy = calling { Policy(beneath.onlySuites(names)) }

    /** Only these suites of it. */
    @Throws(HubTlsException::class)
    fun onlySuites(vararg names: String): Policy = onlySuites(names.asList())

    /** Only these groups of it: `UNKNOWN_GROUP`, `POLICY_WIDENED`, `POLICY_EMPTY`. */
    @Throws(HubTlsException::class)
    fun onlyGroups(names: List<String>): Policy = calling { Policy(beneath.onlyGroups(names)) }

    /** Only these groups of it. */
    @Throws(HubTlsException::class)
    fun onlyGroups(vararg names: String): Policy = onlyGroups(names.asList())

    /** Only suites whose server authenticates with `ECDSA` or `RSA`. */
    @Throws(HubTlsException::class)
    fun onlyAuthentication(name: String): Policy = calling { Policy(beneath.onlyAuthentication(name)) }

    /** The same with this fragment length. */
    @Throws(HubTlsException::class)
    fun withFragmentLength(length: FragmentLength): Policy = calling { Policy(beneath.withFragmentLength(length.beneath())) }

    /** As a policy document in JSON. */
    fun toJson(): String = calling { beneath.toJson() }

    override fun toString(): String = if (isNarrowed) "$name, narrowed" else name

    companion object {
        /** The policy of that name: `iothub`, `iothub-ecc`, `iothub-aead`, `iothub-tls12`, or a dated one. `UNKNOWN_POLICY` suggests another. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun named(name: String = "iothub"): Policy = calling { Policy(Beneath.named(name)) }

        /** From a policy document in JSON: `INVALID_POLICY_DOCUMENT`, `POLICY_WIDENED`. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromJson(text: String): Policy = calling { Policy(Beneath.fromJson(text)) }

        /** Every dated policy. */
        @JvmStatic
        fun all(): List<Policy> = calling { allPolicies().map(::Policy) }

        /** Each alias with the dated policy that it stands for. */
        @JvmStatic
        fun aliases(): Map<String, String> = calling { policyAliases().associate { it.name to it.standsFor } }
    }
}
