package org.hubtls

import java.security.PrivateKey
import java.security.Signature
import java.security.interfaces.ECKey
import java.security.spec.MGF1ParameterSpec
import java.security.spec.PSSParameterSpec

/** Signs with a key of Java's, whichever provider holds it. */
internal class PrivateKeySigner(private val key: PrivateKey) : Signer {
    override fun sign(scheme: String, content: ByteArray): ByteArray {
        val how = SCHEMES[scheme] ?: throw IllegalArgumentException("$scheme is unknown to Java")
        // Without a provider's name Java takes the one that knows the key.
        val signature = Signature.getInstance(how.algorithm)
        signature.initSign(key)
        how.parameters?.let(signature::setParameter)
        signature.update(content)
        return signature.sign()
    }

    override fun schemes(): List<String> {
        val fits: (String) -> Boolean =
            when (key.algorithm) {
                "RSA", "RSASSA-PSS" -> { name -> name.startsWith("rsa_") }
                "EC" -> { name -> name.startsWith("ecdsa_") && name.contains("${(key as? ECKey)?.params?.order?.bitLength() ?: ""}") }
                else -> { name -> name == "ed25519" }
            }
        return SCHEMES.keys.filter(fits)
    }

    private class How(val algorithm: String, val parameters: PSSParameterSpec? = null)

    private companion object {
        fun pss(hash: String, salt: Int, mask: MGF1ParameterSpec) = How("RSASSA-PSS", PSSParameterSpec(hash, "MGF1", mask, salt, 1))

        val SCHEMES =
            linkedMapOf(
                "ecdsa_secp256r1_sha256" to How("SHA256withECDSA"),
                "ecdsa_secp384r1_sha384" to How("SHA384withECDSA"),
                "ed25519" to How("Ed25519"),
                "rsa_pss_rsae_sha256" to pss("SHA-256", 32, MGF1ParameterSpec.SHA256),
                "rsa_pss_rsae_sha384" to pss("SHA-384", 48, MGF1ParameterSpec.SHA384),
                "rsa_pss_rsae_sha512" to pss("SHA-512", 64, MGF1ParameterSpec.SHA512),
                "rsa_pkcs1_sha256" to How("SHA256withRSA"),
                "rsa_pkcs1_sha384" to How("SHA384withRSA"),
                "rsa_pkcs1_sha512" to How("SHA512withRSA"),
            )
    }
}
