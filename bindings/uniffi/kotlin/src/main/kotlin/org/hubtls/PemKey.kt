package org.hubtls

import java.io.ByteArrayInputStream
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyStore
import java.security.PrivateKey
import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.EncryptedPrivateKeyInfo
import javax.crypto.SecretKeyFactory
import javax.crypto.spec.PBEKeySpec

/** Keys as Java wants them. The library has read and checked the same bytes before. */
internal object PemKey {
    private val BLOCK = Regex("-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([^-]*)-----END")
    private const val RSA = "300d06092a864886f70d0101010500"
    private const val EC = "06072a8648ce3d0201"

    /** From PEM as PKCS#8, encrypted or not, PKCS#1 or SEC1. */
    fun read(pem: ByteArray, passphrase: String?): PrivateKey =
        reading {
            val found = BLOCK.find(String(pem, Charsets.ISO_8859_1)) ?: throw GeneralSecurityException("there is no key in PEM")
            val (label, text) = found.destructured
            if (text.contains("Proc-Type")) throw GeneralSecurityException("it is encrypted in the old way of OpenSSL")
            val der = Base64.getMimeDecoder().decode(text)
            when (label) {
                "PRIVATE KEY" -> pkcs8(der)
                "ENCRYPTED PRIVATE KEY" -> pkcs8(decrypted(der, passphrase))
                "RSA PRIVATE KEY" -> pkcs8(sequence(byteArrayOf(2, 1, 0) + hex(RSA) + tagged(4, der)))
                "EC PRIVATE KEY" -> pkcs8(sequence(byteArrayOf(2, 1, 0) + sequence(hex(EC) + curveOf(der)) + tagged(4, der)))
                else -> throw GeneralSecurityException("it is a $label")
            }
        }

    /** The one key of a PKCS#12 file. */
    fun ofPkcs12(content: ByteArray, passphrase: String?): PrivateKey =
        reading {
            val store = KeyStore.getInstance("PKCS12")
            val password = (passphrase ?: "").toCharArray()
            store.load(ByteArrayInputStream(content), password)
            val alias = store.aliases().asSequence().firstOrNull(store::isKeyEntry) ?: throw GeneralSecurityException("it is not encrypted as Java expects it")
            store.getKey(alias, password) as PrivateKey
        }

    private inline fun <T> reading(work: () -> T): T =
        try {
            work()
        } catch (error: Exception) {
            throw HubTlsException(
                "UNSUPPORTED_BY_ENGINE",
                209,
                "Java cannot read the key: ${error.message}",
                "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc` and a passphrase in ASCII, or use the engine",
                cause = error,
            )
        }

    private fun pkcs8(der: ByteArray): PrivateKey {
        var last: Exception? = null
        for (algorithm in arrayOf("EC", "RSA", "Ed25519")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(PKCS8EncodedKeySpec(der))
            } catch (error: GeneralSecurityException) {
                last = error
            }
        }
        throw last!!
    }

    private fun decrypted(der: ByteArray, passphrase: String?): ByteArray {
        val sealed = EncryptedPrivateKeyInfo(der)
        val name = sealed.algParameters?.toString()?.takeIf { it.startsWith("PBE") } ?: sealed.algName
        val secret = SecretKeyFactory.getInstance(name).generateSecret(PBEKeySpec((passphrase ?: "").toCharArray()))
        val cipher = Cipher.getInstance(name)
        cipher.init(Cipher.DECRYPT_MODE, secret, sealed.algParameters)
        return sealed.getKeySpec(cipher).encoded
    }

    /** The curve's identifier out of the parameters of a key in SEC1, which stand in [0] behind the key itself. */
    private fun curveOf(sec1: ByteArray): ByteArray {
        for (at in 0 until sec1.size - 4) {
            if (sec1[at] == 0xA0.toByte() && sec1[at + 2] == 6.toByte() && sec1[at + 3] == (sec1[at + 1] - 2).toByte()) {
                return sec1.copyOfRange(at + 2, at + 2 + sec1[at + 1])
            }
        }
        throw GeneralSecurityException("it names no curve")
    }

    private fun sequence(content: ByteArray) = tagged(0x30, content)

    private fun tagged(tag: Int, content: ByteArray): ByteArray {
        val length =
            when {
                content.size < 0x80 -> byteArrayOf(content.size.toByte())
                content.size < 0x100 -> byteArrayOf(0x81.toByte(), content.size.toByte())
                else -> byteArrayOf(0x82.toByte(), (content.size shr 8).toByte(), content.size.toByte())
            }
        return byteArrayOf(tag.toByte()) + length + content
    }

    private fun hex(text: String) = text.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
}

/** A certificate as Java has it. */
internal fun certificateOf(der: ByteArray): X509Certificate =
    CertificateFactory.getInstance("X.509").generateCertificate(ByteArrayInputStream(der)) as X509Certificate
