package org.hubtls

import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLParameters

/** What a user asks of one connection by JSSE's setters: they narrow, or are refused with [IllegalArgumentException]. */
internal class Wishes(private val config: Config) {
    private val policy = config.policy
    private var versions: List<String>? = null
    private var suites: List<String>? = null
    private var groups: List<String>? = null
    private var alpn: List<String>? = null

    /** The name that is sent, if the user names one. */
    var serverName: String? = null
        private set

    fun enabledProtocols(): Array<String> = (versions ?: policy.versions).toTypedArray()

    fun enabledCipherSuites(): Array<String> = (suites ?: policy.suites).toTypedArray()

    fun supportedProtocols(): Array<String> = policy.versions.toTypedArray()

    fun supportedCipherSuites(): Array<String> = policy.suites.toTypedArray()

    fun enableProtocols(names: Array<String>?) {
        versions = narrowed("protocol", names, policy.versions)
    }

    fun enableCipherSuites(names: Array<String>?) {
        suites = narrowed("cipher suite", names, policy.suites)
    }

    private fun narrowed(what: String, names: Array<String>?, all: List<String>): List<String>? {
        requireNotNull(names) { "no array of ${what}s is given" }
        val asked = names.toSet()
        require(asked.isNotEmpty()) { "no $what would be left" }
        val unknown = asked - all.toSet()
        require(unknown.isEmpty()) { "the $what ${unknown.first()} is not in the policy $policy, which can be narrowed, not widened" }
        // In the policy's order, whatever is asked: the best first.
        return if (asked.size == all.size) null else all.filter(asked::contains)
    }

    /** Takes what is set; what is not set, as in new parameters, leaves all as it is. */
    fun take(parameters: SSLParameters) {
        val algorithm = parameters.endpointIdentificationAlgorithm
        require(algorithm.isNullOrEmpty() || algorithm.equals("HTTPS", ignoreCase = true)) { "names are verified as for HTTPS, not for $algorithm" }
        parameters.protocols?.let(::enableProtocols)
        parameters.cipherSuites?.let(::enableCipherSuites)
        parameters.applicationProtocols?.let { if (it.isNotEmpty()) alpn = it.toList() }
        parameters.serverNames?.let { names ->
            serverName = names.filterIsInstance<SNIHostName>().firstOrNull()?.asciiName
        }
        NamedGroups.of(parameters)?.let { names ->
            groups = narrowed("group", names, policy.jsseNamedGroups)?.map { if (it == "x25519") "X25519" else it }
        }
    }

    /** As JSSE shows it. */
    fun parameters(): SSLParameters =
        SSLParameters(enabledCipherSuites(), enabledProtocols()).apply {
            endpointIdentificationAlgorithm = "HTTPS"
            applicationProtocols = (alpn ?: config.alpn).toTypedArray()
            serverName?.let { serverNames = listOf(SNIHostName(it)) }
        }

    /** What Java's own TLS is told: all of the policy that it can express. Only sockets are told of a [fragmentLength]. */
    fun nativeParameters(fragmentLength: Boolean = false): SSLParameters {
        val wanted = parameters()
        val versions = wanted.protocols.toSet()
        // TLS 1.2 without TLS 1.3: its suites are of no use to Java then.
        wanted.cipherSuites = wanted.cipherSuites.filter { ("TLSv1.3" in versions) || !isOfTls13(it) }.toTypedArray()
        NamedGroups.set(wanted, (groups?.map { it.lowercase() } ?: policy.jsseNamedGroups).toTypedArray())
        SignatureSchemes.set(wanted, policy.signatureSchemes.toTypedArray())
        // An engine with such a packet size takes no larger record, even of a server that did not agree.
        if (fragmentLength) {
            (config.options.fragmentLength?.let(policy::withFragmentLength) ?: policy).jsseMaximumPacketSize?.let { wanted.maximumPacketSize = it }
        }
        return wanted
    }

    private fun isOfTls13(suite: String) = !suite.contains("_WITH_")

    /** The configuration with what was asked. */
    fun config(): Config = config.narrowed(versions, suites, groups, alpn ?: config.alpn)
}

/** A property of `SSLParameters` that newer Javas have. */
internal open class NewerProperty(name: String) {
    private val getter = method("get$name")
    private val setter = method("set$name", Array<String>::class.java)

    private fun method(name: String, vararg types: Class<*>) =
        try {
            SSLParameters::class.java.getMethod(name, *types)
        } catch (_: NoSuchMethodException) {
            null
        }

    @Suppress("UNCHECKED_CAST")
    fun of(parameters: SSLParameters): Array<String>? = getter?.invoke(parameters) as Array<String>?

    fun set(parameters: SSLParameters, names: Array<String>) {
        setter?.invoke(parameters, names)
    }
}

/** Of Java 20 and later. */
internal object NamedGroups : NewerProperty("NamedGroups")

/** Of Java 19 and later. */
internal object SignatureSchemes : NewerProperty("SignatureSchemes")
