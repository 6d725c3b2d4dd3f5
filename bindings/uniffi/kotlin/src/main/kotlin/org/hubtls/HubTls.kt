package org.hubtls

import javax.net.ssl.SSLContext
import javax.net.ssl.X509TrustManager
import org.hubtls.ffi.errorCodes as codes

/**
 * An error code.
 *
 * @property code the stable upper-case name
 * @property number the stable number
 * @property isTransient whether the same attempt may succeed later without any change
 */
class ErrorCode internal constructor(val code: String, val number: Int, val isTransient: Boolean) {
    override fun toString(): String = "$code $number"
}

/** What belongs to no object. */
object HubTls {
    /** The version of the library. */
    @JvmStatic
    fun version(): String = calling { org.hubtls.ffi.version() }

    /** Every error code, by ascending number. */
    @JvmStatic
    fun errorCodes(): List<ErrorCode> = calling { codes().map { ErrorCode(it.code, it.number, it.isTransient) } }

    /** The pin of a root's certificate in PEM or DER, for `pins`. `PIN_NOT_ROOT` if it is not a self-issued authority's. */
    @JvmStatic
    @Throws(HubTlsException::class)
    fun pinOfCertificate(certificate: ByteArray): String = calling { org.hubtls.ffi.pinOfCertificate(certificate) }

    /**
     * Java's own TLS with the policy applied, for whatever takes an `SSLContext`: azure-iot-sdk-java, java.net.http.
     *
     * Its socket factory and its engines set versions, suites, roots, and from Java 19 and 20 on signature schemes and groups; the host name is
     * verified whatever parameters a user sets. The server is verified by the engine, with its errors as causes. What Java cannot be told is
     * `UNSUPPORTED_BY_ENGINE`: a key log, another name to send, `resumption(false)`, `postQuantum`, a fragment length that is required, a [Signer].
     */
    @JvmStatic
    @JvmOverloads
    @Throws(HubTlsException::class)
    fun sslContext(config: Config = Config.create()): SSLContext = NativeContext.of(config, null)

    /**
     * The same for a client that makes engines without saying for which host, as azure-iot-sdk-java does over AMQP: they verify [host]. Those made
     * for another host, and sockets, verify theirs.
     */
    @JvmStatic
    @Throws(HubTlsException::class)
    fun sslContext(config: Config, host: String): SSLContext = NativeContext.of(config, host)

    /** The same for a policy and a client certificate. */
    @JvmStatic
    @JvmOverloads
    @Throws(HubTlsException::class)
    fun sslContext(policy: Policy, identity: Identity? = null): SSLContext = sslContext(Config(policy = policy, identity = identity))

    /** What verifies servers, as Java's own TLS takes it, for OkHttp's `sslSocketFactory(factory, trustManager)`. */
    @JvmStatic
    @Throws(HubTlsException::class)
    fun trustManager(config: Config): X509TrustManager = NativeTrust(config)
}
