package org.hubtls

import javax.net.ssl.SSLException

/**
 * Every error of hubtls. [code] is the same name in every language, [hint] says what to do.
 *
 * Errors of the network, such as a refused connection, are those of Java itself.
 */
class HubTlsException internal constructor(
    /** The stable upper-case name, as in `HOST_NAME_MISMATCH`. */
    val code: String,
    /**
     * The stable number: 1xx fix the call, 2xx fix the configuration, 3xx the peer is not to be trusted, 4xx the transport failed, try again, 9xx a
     * fault of hubtls or of the machine.
     */
    val number: Int,
    /** What is wrong. */
    val sentence: String,
    /** What to do about it. */
    val hint: String,
    /** The name of the TLS alert that was sent or received, as in `unknown_ca`; null if there was none. */
    val alert: String? = null,
    /** Whether the peer sent the alert. */
    @get:JvmName("isAlertReceived")
    val alertReceived: Boolean = false,
    cause: Throwable? = null,
) : SSLException("$sentence ($hint)", cause) {
    /** The same for another thread or a later call, with a stack trace of its own and this as its cause. */
    internal fun again() = HubTlsException(code, number, sentence, hint, alert, alertReceived, this)

    internal companion object {
        private const val serialVersionUID = 1L

        fun of(error: org.hubtls.ffi.HubTlsException): HubTlsException {
            error as org.hubtls.ffi.HubTlsException.Failed
            val cause = if (error.code == "SIGNER_FAILED") ForeignSigner.takeThrown() else null
            return HubTlsException(
                error.code,
                error.number,
                error.sentence,
                error.hint,
                error.alertName,
                error.alertReceived,
                cause,
            )
        }

        fun invalid(sentence: String, hint: String) = HubTlsException("INVALID_ARGUMENT", 101, sentence, hint)

        fun unsupported(what: String, instead: String) =
            HubTlsException("UNSUPPORTED_BY_ENGINE", 209, "Java's TLS cannot be told $what", instead)

        fun timedOut(what: String, milliseconds: Int, cause: Throwable? = null) =
            HubTlsException(
                "TIMEOUT",
                403,
                "$what took more than $milliseconds ms",
                "is the address right, and is it a TLS port? a slow network needs a longer handshake timeout",
                cause = cause,
            )

        fun inUse() =
            HubTlsException(
                "IN_USE",
                105,
                "the connection is in use by this very thread: a callback called it again",
                "let callbacks leave the connection alone that they were called from",
            )

        fun panicked(cause: Throwable) =
            HubTlsException("INTERNAL", 901, "hubtls panicked: ${cause.message}", "report this as a bug of hubtls", cause = cause)
    }
}

/** The one funnel: loads the library and turns what it throws into [HubTlsException]. */
internal inline fun <T> calling(work: () -> T): T {
    Library.load()
    return try {
        work()
    } catch (error: org.hubtls.ffi.HubTlsException) {
        throw HubTlsException.of(error)
    } catch (error: org.hubtls.ffi.InternalException) {
        throw HubTlsException.panicked(error)
    }
}
