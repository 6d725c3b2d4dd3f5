package org.hubtls

import org.hubtls.ffi.SignerException
import org.hubtls.ffi.Signer as Beneath

/**
 * Signs with a private key that is held elsewhere: in a key store, a secure element, a TPM.
 *
 * Called from whatever thread drives a handshake, perhaps from several at once, and may block it. It must leave the connection alone that it signs for.
 */
fun interface Signer {
    /**
     * The signature of [content] (not hashed yet) by [scheme], as in `ecdsa_secp256r1_sha256`; an ECDSA signature as ASN.1 DER.
     *
     * Whatever it throws ends the handshake as `SIGNER_FAILED`, of which it is the cause. Its message becomes part of that, so it must hold no secret.
     */
    @Throws(Exception::class)
    fun sign(scheme: String, content: ByteArray): ByteArray

    /** The schemes that it can sign with, preferred first; null for all that the certificate's key allows. Asked once, when the identity is built. */
    @Throws(Exception::class)
    fun schemes(): List<String>? = null
}

/** A signer as the library calls it: nothing that it throws, be it an error of the machine, reaches Rust or C. */
internal class ForeignSigner(private val signer: Signer) : Beneath {
    override fun sign(scheme: String, content: ByteArray): ByteArray =
        guarded {
            // Of a connection that was closed before it could say so.
            thrown.remove()
            // Java may return null.
            @Suppress("USELESS_ELVIS")
            signer.sign(scheme, content) ?: throw NullPointerException("it returned no bytes")
        }

    override fun schemes(): List<String>? = guarded { signer.schemes()?.toList() }

    private inline fun <T> guarded(work: () -> T): T =
        try {
            work()
        } catch (error: Throwable) {
            thrown.set(error)
            throw SignerException.Failed(textOf(error))
        }

    companion object {
        /** What a signer threw in this thread; its handshake fails in the same. */
        private val thrown = ThreadLocal<Throwable?>()

        fun takeThrown(): Throwable? {
            val error = thrown.get()
            thrown.remove()
            return error
        }

        private fun textOf(error: Throwable): String =
            try {
                error.message?.lineSequence()?.firstOrNull() ?: error.javaClass.simpleName
            } catch (_: Throwable) {
                error.javaClass.name
            }
    }
}
