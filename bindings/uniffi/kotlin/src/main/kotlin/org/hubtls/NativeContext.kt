package org.hubtls

import java.security.KeyManagementException
import java.security.SecureRandom
import javax.net.ssl.KeyManager
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLContextSpi
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLServerSocketFactory
import javax.net.ssl.SSLSessionContext
import javax.net.ssl.SSLSocketFactory
import javax.net.ssl.TrustManager

/** Java's own TLS with the policy applied. */
internal class NativeContext private constructor(spi: NativeContextSpi, beneath: SSLContext) : SSLContext(spi, beneath.provider, beneath.protocol) {
    companion object {
        /** `host` is what engines verify whose maker says no other. */
        fun of(config: Config, host: String?): SSLContext {
            refuseImpossible(config)
            val beneath = getInstance("TLS")
            val keys = config.identity?.let { arrayOf<KeyManager>(NativeKeys(it)) }
            beneath.init(keys ?: emptyArray(), arrayOf<TrustManager>(NativeTrust(config)), null)
            return NativeContext(NativeContextSpi(config, beneath, host), beneath)
        }

        private fun refuseImpossible(config: Config) {
            val options = config.options
            val length = options.fragmentLength ?: config.policy.fragmentLength
            val wishes =
                listOf(
                    (options.keyLog != null) to "to log keys",
                    (options.sni !== Sni.FROM_NAME) to "another name to send",
                    !options.resumption to "to resume no sessions",
                    options.postQuantum to "to offer X25519MLKEM768",
                    length.isRequired to "to require a fragment length",
                )
            for ((wanted, what) in wishes) if (wanted) throw HubTlsException.unsupported(what, "leave it out, or use the engine: HubTlsSocketFactory")
        }
    }
}

internal class NativeContextSpi(private val config: Config, private val beneath: SSLContext, private val host: String?) : SSLContextSpi() {
    override fun engineInit(keys: Array<KeyManager>?, trust: Array<TrustManager>?, random: SecureRandom?): Unit =
        throw KeyManagementException("it is initialized already: keys and roots are those of the Config")

    override fun engineGetSocketFactory(): SSLSocketFactory = NativeSocketFactory(config, beneath.socketFactory)

    override fun engineGetServerSocketFactory(): SSLServerSocketFactory = throw UnsupportedOperationException("hubtls is a client")

    override fun engineCreateSSLEngine(): SSLEngine =
        NativeEngine(if (host == null) beneath.createSSLEngine() else beneath.createSSLEngine(host, -1), config)

    override fun engineCreateSSLEngine(host: String?, port: Int): SSLEngine = NativeEngine(beneath.createSSLEngine(host, port), config)

    override fun engineGetServerSessionContext(): SSLSessionContext? = null

    override fun engineGetClientSessionContext(): SSLSessionContext = beneath.clientSessionContext

    override fun engineGetDefaultSSLParameters(): SSLParameters = Wishes(config).nativeParameters()

    override fun engineGetSupportedSSLParameters(): SSLParameters = Wishes(config).nativeParameters()
}
