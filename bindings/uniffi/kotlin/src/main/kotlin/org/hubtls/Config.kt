package org.hubtls

import java.nio.file.Path
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import org.hubtls.ffi.Config as Beneath
import org.hubtls.ffi.ConfigOptions as OptionsBeneath
import org.hubtls.ffi.Sni as SniBeneath

/** Which name the ClientHello carries. */
class Sni private constructor(internal val beneath: SniBeneath) {
    companion object {
        /** The name that is verified; none if that is an IP address. */
        @JvmField
        val FROM_NAME = Sni(SniBeneath.FromName)

        /** No name. */
        @JvmField
        val OFF = Sni(SniBeneath.Off)

        /** Another name than the one that is verified. */
        @JvmStatic
        fun named(name: String) = Sni(SniBeneath.Named(name))
    }
}

/** What a [Config] was made from. */
internal data class Options(
    val policy: Policy? = null,
    val roots: Roots? = null,
    val addRoots: Roots? = null,
    val pins: List<String>? = null,
    val identity: Identity? = null,
    val refuseInvalidIdentity: Boolean = false,
    val revocationLists: List<ByteArray> = emptyList(),
    val requireRevocationStatus: Boolean = false,
    val alpn: List<String> = emptyList(),
    val sni: Sni = Sni.FROM_NAME,
    val resumption: Boolean = true,
    val keyLog: Path? = null,
    val time: Instant? = null,
    val postQuantum: Boolean = false,
    val fragmentLength: FragmentLength? = null,
) {
    fun beneath() =
        OptionsBeneath(
            policy = policy?.beneath,
            roots = roots?.beneath,
            addRoots = addRoots?.beneath,
            pins = pins,
            identity = identity?.beneath,
            refuseInvalidIdentity = refuseInvalidIdentity,
            revocationLists = revocationLists,
            requireRevocationStatus = requireRevocationStatus,
            alpn = alpn,
            sni = sni.beneath,
            resumption = resumption,
            keyLog = keyLog?.toString(),
            time = time?.epochSecond,
            postQuantum = postQuantum,
            fragmentLength = fragmentLength?.beneath(),
        )
}

/**
 * A checked, immutable configuration, shared by any number of connections and threads, which resume sessions of each other.
 *
 * In Kotlin `Config(identity = identity)`, in Java `Config.builder().identity(identity).build()`.
 */
class Config private constructor(internal val options: Options, internal val beneath: Beneath) {
    internal constructor(options: Options) : this(options, calling { Beneath(options.beneath()) })

    /** The policy, narrowed as it was. */
    val policy: Policy by lazy { calling { Policy(beneath.policy()) } }

    /** The trusted roots. */
    val roots: Roots by lazy { calling { Roots(beneath.roots()) } }

    /** The client's certificate chain and key. */
    val identity: Identity? get() = options.identity

    /** The pins; empty if any trusted root will do. */
    val pins: List<String> get() = calling { beneath.pins() }

    /** Protocols to offer with ALPN, most wanted first. */
    val alpn: List<String> get() = options.alpn

    /** What is allowed but unwise or about to break, a sentence each. */
    val warnings: List<String> get() = calling { beneath.warnings() }

    /** The same with these roots instead, and with no session to resume: `NO_ROOTS`. */
    @Throws(HubTlsException::class)
    fun withRoots(roots: Roots): Config =
        calling { Config(options.copy(roots = roots, addRoots = null), beneath.withRoots(roots.beneath)) }

    private val variants = ConcurrentHashMap<Pair<List<List<String>?>, List<String>>, Config>()

    /** The same with a narrower policy or other protocols, made once so that its connections resume each other's sessions. */
    internal fun narrowed(versions: List<String>?, suites: List<String>?, groups: List<String>?, alpn: List<String>): Config {
        if (versions == null && suites == null && groups == null && alpn == this.alpn) return this
        return variants.computeIfAbsent(listOf(versions, suites, groups) to alpn) {
            var narrow = policy
            if (versions != null) narrow = narrow.onlyVersions(versions)
            if (suites != null) narrow = narrow.onlySuites(suites.filter(narrow.suites.toSet()::contains))
            if (groups != null) narrow = narrow.onlyGroups(groups)
            // The roots as they are: those that were added must not count twice.
            Config(options.copy(policy = narrow, alpn = alpn))
        }
    }

    companion object {
        /** A builder, as Java likes it. */
        @JvmStatic
        fun builder() = ConfigBuilder()

        /** The policy `iothub` and nothing else. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun create(): Config = Config(Options())

        /**
         * From named arguments, as Kotlin likes it; what is left out is as the policy `iothub` has it. [ConfigBuilder] says what each means.
         *
         * @throws HubTlsException whose `code` says what is wrong
         */
        @JvmSynthetic
        operator fun invoke(
            policy: Policy? = null,
            roots: Roots? = null,
            addRoots: Roots? = null,
            pins: List<String>? = null,
            identity: Identity? = null,
            refuseInvalidIdentity: Boolean = false,
            revocationLists: List<ByteArray> = emptyList(),
            requireRevocationStatus: Boolean = false,
            alpn: List<String> = emptyList(),
            sni: Sni = Sni.FROM_NAME,
            resumption: Boolean = true,
            keyLog: Path? = null,
            time: Instant? = null,
            postQuantum: Boolean = false,
            fragmentLength: FragmentLength? = null,
        ): Config =
            Config(
                Options(
                    policy, roots, addRoots, pins?.toList(), identity, refuseInvalidIdentity, revocationLists.toList(), requireRevocationStatus,
                    alpn.toList(), sni, resumption, keyLog, time, postQuantum, fragmentLength,
                ),
            )
    }
}

/** Makes a [Config]. What is left out is as the policy `iothub` has it. */
class ConfigBuilder internal constructor() {
    private var options = Options()

    private inline fun with(change: Options.() -> Options): ConfigBuilder {
        options = options.change()
        return this
    }

    /** What may be offered and accepted. */
    fun policy(policy: Policy) = with { copy(policy = policy) }

    /** What may be offered and accepted, by name: `UNKNOWN_POLICY` suggests another. */
    @Throws(HubTlsException::class)
    fun policy(name: String) = policy(Policy.named(name))

    /** Trusted instead of the policy's roots; for Azure's own names only with [Roots.vouchingForAzure]. */
    fun roots(roots: Roots) = with { copy(roots = roots) }

    /** Trusted as well, but not for Azure's own names. */
    fun addRoots(roots: Roots) = with { copy(addRoots = roots) }

    /** Accept only chains that end in one of these roots: SHA-256 of its public key, or its certificate in PEM. */
    fun pins(vararg pins: String) = with { copy(pins = pins.toList()) }

    /** Accept only chains that end in one of these roots. */
    fun pins(pins: List<String>) = with { copy(pins = pins.toList()) }

    /** The client's certificate chain and key. */
    fun identity(identity: Identity?) = with { copy(identity = identity) }

    /** An expired client certificate is an error, not a warning. */
    fun refuseInvalidIdentity(refuse: Boolean) = with { copy(refuseInvalidIdentity = refuse) }

    /** Revocation lists, each PEM or DER. */
    fun revocationLists(lists: List<ByteArray>) = with { copy(revocationLists = lists.toList()) }

    /** Refuse a server whose status no current list tells. */
    fun requireRevocationStatus(require: Boolean) = with { copy(requireRevocationStatus = require) }

    /** Protocols to offer with ALPN, most wanted first. */
    fun alpn(vararg protocols: String) = with { copy(alpn = protocols.toList()) }

    /** Which name the ClientHello carries. */
    fun sni(sni: Sni) = with { copy(sni = sni) }

    /** Whether sessions are resumed, as they are by default. */
    fun resumption(resumption: Boolean) = with { copy(resumption = resumption) }

    /** A file that the connections' secrets are written to, for debugging. Whoever has it can read the traffic. */
    fun keyLog(path: Path) = with { copy(keyLog = path) }

    /** The time for verification, instead of the machine's clock. */
    fun time(time: Instant) = with { copy(time = time) }

    /** Offer X25519MLKEM768 first. */
    fun postQuantum(offer: Boolean) = with { copy(postQuantum = offer) }

    /** The maximum fragment length to negotiate. */
    fun fragmentLength(length: FragmentLength) = with { copy(fragmentLength = length) }

    /** Checks the options; `code` of the error says what is wrong. */
    @Throws(HubTlsException::class)
    fun build() = Config(options)
}
