package org.hubtls

import org.hubtls.ffi.Connection as Beneath

/**
 * A TLS client connection that owns no socket.
 *
 * Loop: send what [transmit] returns, give what arrives to [receive], take plaintext with [read]. After an error every call throws it again; what
 * [transmit] still returns, an alert, should be sent before the transport is closed. Threads may share it and wait for each other.
 *
 * @param config the configuration
 * @param serverName the name to verify, a DNS name or an IP address, whatever address is dialled
 * @throws HubTlsException `INVALID_SERVER_NAME`
 */
class Connection
    @Throws(HubTlsException::class)
    constructor(config: Config, serverName: String) : AutoCloseable {
        private val beneath = calling { Beneath(config.beneath, serverName) }

        private inline fun <T> using(work: Beneath.() -> T): T =
            try {
                calling { beneath.work() }
            } catch (error: IllegalStateException) {
                throw HubTlsException("INVALID_ARGUMENT", 101, "the connection was closed", "use it before it is closed", cause = error)
            }

        /** Whether the handshake goes on. */
        val isHandshaking: Boolean
            @Throws(HubTlsException::class)
            get() = using { isHandshaking() }

        /** Whether the peer has finished and everything before that was read. */
        val isEnded: Boolean
            @Throws(HubTlsException::class)
            get() = using { isEnded() }

        /** How many decrypted bytes can be read at once. */
        val readableBytes: Int
            @Throws(HubTlsException::class)
            get() = using { readableBytes() }

        /** What was agreed: `HANDSHAKE_NOT_COMPLETE` before that. */
        val negotiated: Negotiated
            @Throws(HubTlsException::class)
            get() = using { Negotiated(negotiated()) }

        /** Whether [receive] would take more now. */
        @Throws(HubTlsException::class)
        fun wantsReceive(): Boolean = using { wantsReceive() }

        /** Whether something waits in [transmit]. */
        @Throws(HubTlsException::class)
        fun wantsTransmit(): Boolean = using { wantsTransmit() }

        /** Accepts ciphertext from the transport and returns how many bytes it took; 0 means that [read] must go first. */
        @Throws(HubTlsException::class)
        fun receive(data: ByteArray): Int = using { receive(data) }

        /** Says that the transport has ended: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had said that it would. */
        @Throws(HubTlsException::class)
        fun receiveEnd() = using { receiveEnd() }

        /** At most [limit] decrypted bytes; none now, or no more ever if [isEnded]. */
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun read(limit: Int = 16_384): ByteArray = using { read(limit) }

        /** Encrypts up to 16,384 bytes as one record and returns how many; 0 in the handshake, or while too much waits to be transmitted. */
        @Throws(HubTlsException::class)
        fun write(data: ByteArray): Int = using { write(data) }

        /** At most [limit] bytes of ciphertext for the transport. */
        @JvmOverloads
        @Throws(HubTlsException::class)
        fun transmit(limit: Int = 1_048_576): ByteArray = using { transmit(limit) }

        /** Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too. */
        @Throws(HubTlsException::class)
        fun finish() = using { finish() }

        /** Frees it at once; otherwise the garbage collector does. */
        override fun close() = beneath.close()
    }
