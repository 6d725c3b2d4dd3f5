package org.hubtls

import org.hubtls.ffi.FragmentLength as Beneath

/**
 * Whether to negotiate a maximum fragment length (RFC 6066, section 4): the largest plaintext of a record, where a device is too short of memory for
 * the usual 16,384 bytes.
 *
 * @property bytes 512, 1024, 2048 or 4096; null if it is off
 * @property isRequired whether the handshake fails if the server does not agree
 */
class FragmentLength private constructor(val bytes: Int?, val isRequired: Boolean) {
    internal fun beneath(): Beneath =
        when {
            bytes == null -> Beneath.Off
            isRequired -> Beneath.Require(bytes)
            else -> Beneath.Request(bytes)
        }

    override fun equals(other: Any?): Boolean = other is FragmentLength && bytes == other.bytes && isRequired == other.isRequired

    override fun hashCode(): Int = 31 * (bytes ?: 0) + isRequired.hashCode()

    override fun toString(): String = if (bytes == null) "off" else "$bytes${if (isRequired) ":require" else ""}"

    companion object {
        /** Do not ask. */
        @JvmField
        val OFF = FragmentLength(null, false)

        /** Ask, and go on with fragments of usual length if the server does not agree. */
        @JvmStatic
        fun request(bytes: Int) = FragmentLength(bytes, false)

        /** Ask, and fail the handshake with `FRAGMENT_LENGTH_REFUSED` if the server does not agree. */
        @JvmStatic
        fun require(bytes: Int) = FragmentLength(bytes, true)

        internal fun of(length: Beneath): FragmentLength =
            when (length) {
                is Beneath.Off -> OFF
                is Beneath.Request -> request(length.bytes)
                is Beneath.Require -> require(length.bytes)
            }
    }
}
