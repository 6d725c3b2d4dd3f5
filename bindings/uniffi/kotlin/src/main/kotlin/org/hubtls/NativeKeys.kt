package org.hubtls

import java.net.Socket
import java.security.Principal
import java.security.PrivateKey
import java.security.cert.X509Certificate
import javax.net.ssl.SSLEngine
import javax.net.ssl.X509ExtendedKeyManager

/** The one client certificate of a configuration, which is sent to whoever asks for one of its kind. */
internal class NativeKeys(identity: Identity) : X509ExtendedKeyManager() {
    private val key = identity.privateKey()
    private val chain = identity.chain.toTypedArray()
    private val kind = chain[0].publicKey.algorithm

    /** JSSE's names of kinds may say more: `EC_EC`, `RSASSA-PSS`; those of Ed25519 differ between versions. */
    private fun fits(asked: String): Boolean =
        when (kind) {
            "RSA" -> asked.startsWith("RSA")
            "EC" -> asked.startsWith("EC")
            else -> asked.startsWith("Ed")
        }

    override fun chooseClientAlias(kinds: Array<String>, issuers: Array<Principal>?, socket: Socket?): String? = ALIAS.takeIf { kinds.any(::fits) }

    override fun chooseEngineClientAlias(kinds: Array<String>, issuers: Array<Principal>?, engine: SSLEngine?): String? =
        chooseClientAlias(kinds, issuers, null)

    override fun getClientAliases(kind: String, issuers: Array<Principal>?): Array<String>? = if (fits(kind)) arrayOf(ALIAS) else null

    override fun getServerAliases(kind: String?, issuers: Array<Principal>?): Array<String>? = null

    override fun chooseServerAlias(kind: String?, issuers: Array<Principal>?, socket: Socket?): String? = null

    override fun getCertificateChain(alias: String): Array<X509Certificate>? = chain.takeIf { alias == ALIAS }

    override fun getPrivateKey(alias: String): PrivateKey? = key.takeIf { alias == ALIAS }

    private companion object {
        const val ALIAS = "hubtls"
    }
}
