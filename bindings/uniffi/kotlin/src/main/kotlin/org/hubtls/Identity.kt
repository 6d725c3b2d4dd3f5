package org.hubtls

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyStore
import java.security.PrivateKey
import java.security.cert.X509Certificate
import org.hubtls.ffi.Identity as Beneath

/**
 * A client's certificate chain and its key, or a signer with a key held elsewhere. Immutable; shows no key.
 *
 * Made from PEM, PKCS#12 or files, it remembers them for [HubTls.sslContext], as Java's own TLS wants the key itself.
 */
class Identity private constructor(
    internal val beneath: Beneath,
    /** The key for Java's own TLS; null if there is none but a signer. */
    private val key: (() -> PrivateKey)?,
) {
    /** The chain, the client's own certificate first. */
    val chain: List<X509Certificate> by lazy { calling { beneath.chain() }.map { certificateOf(it.der) } }

    /** The common name of the client's certificate, or its whole subject if that has none. */
    val subject: String get() = calling { beneath.subject() }

    /** The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`. */
    val keyAlgorithm: String get() = calling { beneath.keyAlgorithm() }

    override fun toString(): String = "$subject, $keyAlgorithm"

    /** The key for Java's own TLS. */
    internal fun privateKey(): PrivateKey {
        val read = key ?: throw HubTlsException.unsupported("to use a Signer", "give a PrivateKey of a KeyStore, or use the engine")
        return read()
    }

    companion object {
        /** From PEM: the chain's certificates, the client's own first, and the key as PKCS#8, PKCS#1 or SEC1, encrypted or not. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromPem(chain: ByteArray, key: ByteArray, passphrase: String? = null): Identity {
            val beneath = calling { Beneath.fromPem(chain, key, passphrase) }
            val copy = key.clone()
            return Identity(beneath) { PemKey.read(copy, passphrase) }
        }

        /** From PEM as text. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromPem(chain: String, key: String, passphrase: String? = null): Identity =
            fromPem(chain.toByteArray(), key.toByteArray(), passphrase)

        /** From two files in PEM, or twice the same with both. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromFiles(chain: Path, key: Path = chain, passphrase: String? = null): Identity {
            val beneath = calling { Beneath.fromFiles(chain.toString(), key.toString(), passphrase) }
            val copy = contentOf(key)
            return Identity(beneath) { PemKey.read(copy, passphrase) }
        }

        /** From the content of a PKCS#12 file (`.pfx`, `.p12`) with one private key. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromPkcs12(content: ByteArray, passphrase: String? = null): Identity {
            val beneath = calling { Beneath.fromPkcs12(content, passphrase) }
            val copy = content.clone()
            return Identity(beneath) { PemKey.ofPkcs12(copy, passphrase) }
        }

        /** From a PKCS#12 file. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromPkcs12File(path: Path, passphrase: String? = null): Identity {
            val beneath = calling { Beneath.fromPkcs12File(path.toString(), passphrase) }
            val copy = contentOf(path)
            return Identity(beneath) { PemKey.ofPkcs12(copy, passphrase) }
        }

        /** Read at once: later the file may be gone, or hold another key than the certificate's. */
        private fun contentOf(path: Path): ByteArray =
            try {
                Files.readAllBytes(path)
            } catch (error: IOException) {
                throw HubTlsException.invalid("$path cannot be read: ${error.message}", "check the path and who may read it")
            }

        /**
         * From a chain in PEM, or one certificate in DER, and a signer with the key of its first certificate.
         *
         * Signs once at once, to see that it works: `SIGNER_FAILED` if not.
         */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromSigner(chain: ByteArray, signer: Signer): Identity =
            Identity(calling { Beneath.fromSigner(chain, ForeignSigner(signer)) }, null)

        /** From a chain of certificates and a signer. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromSigner(chain: List<X509Certificate>, signer: Signer): Identity =
            Identity(calling { Beneath.fromSignerDer(chain.map { it.encoded }, ForeignSigner(signer)) }, null)

        /**
         * From a chain and a key of Java's, which need not show itself: of a PKCS#11 token or a TPM, say.
         *
         * Signs once at once, to see that it works: `SIGNER_FAILED` if not.
         */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromPrivateKey(chain: List<X509Certificate>, key: PrivateKey): Identity {
            val signer = ForeignSigner(PrivateKeySigner(key))
            return Identity(calling { Beneath.fromSignerDer(chain.map { it.encoded }, signer) }) { key }
        }

        /** From an entry of a key store. */
        @JvmStatic
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun fromKeyStore(store: KeyStore, alias: String, password: CharArray? = null): Identity {
            val key =
                try {
                    store.getKey(alias, password) as? PrivateKey
                } catch (error: java.security.GeneralSecurityException) {
                    throw HubTlsException("INVALID_KEY", 241, "$alias cannot be had: ${error.message}", "check its password", cause = error)
                }
            val chain = store.getCertificateChain(alias)?.filterIsInstance<X509Certificate>()
            if (key == null || chain.isNullOrEmpty()) {
                throw HubTlsException.invalid("the key store has no key with a certificate called $alias", "give the name of one that it has")
            }
            return fromPrivateKey(chain, key)
        }
    }
}
