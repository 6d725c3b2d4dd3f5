package org.hubtls

import java.nio.file.Path
import java.security.cert.X509Certificate
import java.time.Instant
import org.hubtls.ffi.Root as RootBeneath
import org.hubtls.ffi.Roots as Beneath

/** A trusted root. */
class Root internal constructor(beneath: RootBeneath) {
    /** The common name of its subject, or the whole subject if that has none. */
    val subject: String = beneath.subject

    /** SHA-256 of its certificate, `CB:3C:...:5F`; null if only its name and key are known. */
    val fingerprint: String? = beneath.fingerprint

    /** The pin of this root, for `pins`. */
    val pin: String = beneath.pin

    /** Start of its validity. */
    val notBefore: Instant? = beneath.notBefore?.let(Instant::ofEpochSecond)

    /** Last second of its validity. */
    val notAfter: Instant? = beneath.notAfter?.let(Instant::ofEpochSecond)

    /** Where it comes from: `embedded`, `added` or `public-web`. */
    val origin: String = beneath.origin

    /** Whether it may vouch for names of Azure's although it was added to other roots. */
    @get:JvmName("vouchesForAzure")
    val vouchesForAzure: Boolean = beneath.vouchesForAzure

    /** Its certificate as PEM; null if only its name and key are known. */
    val pem: String? = beneath.pem

    override fun toString(): String = subject
}

/**
 * How ready a set of roots is for the loss of one.
 *
 * @property isReady whether at least two independent roots stay valid
 * @property independent how many roots of different owners stay valid
 * @property expired the roots that have expired
 * @property expiring the roots that expire within the time asked for
 */
class Readiness internal constructor(val isReady: Boolean, val independent: Int, val expired: List<Root>, val expiring: List<Root>)

/** The roots that are trusted. Immutable. */
class Roots internal constructor(internal val beneath: Beneath) {
    /** Each of them. */
    val all: List<Root> get() = calling { beneath.all().map(::Root) }

    /** How many there are. */
    val count: Int get() = calling { beneath.count() }

    /** The certificates as PEM. */
    val pem: String get() = calling { beneath.pem() }

    /** These and the others. */
    fun withAdded(added: Roots): Roots = calling { Roots(beneath.withAdded(added.beneath)) }

    /** The same roots, which may (or may not) vouch for names of Azure's when they are added to others. */
    @JvmOverloads
    fun vouchingForAzure(vouching: Boolean = true): Roots = calling { Roots(beneath.vouchingForAzure(vouching)) }

    /** Those of them that are believed about a server of that name. */
    fun believedAbout(name: String): Roots = calling { Roots(beneath.believedAbout(name)) }

    /** Whether enough of them stay valid for so many days from now. */
    @JvmOverloads
    @Throws(HubTlsException::class)
    fun readiness(withinDays: Int = 0): Readiness =
        calling {
            val told = beneath.readiness(withinDays)
            Readiness(told.ready, told.independent, told.expired.map(::Root), told.expiring.map(::Root))
        }

    override fun toString(): String = all.toString()

    companion object {
        /** The two roots of Azure IoT Hub: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017. */
        @JvmStatic
        fun azure(): Roots = calling { Roots(Beneath.azure()) }

        /** The roots of a policy. */
        @JvmStatic
        fun ofPolicy(policy: Policy): Roots = calling { Roots(Beneath.ofPolicy(policy.beneath)) }

        /** Every root that hubtls ships, the two ECC roots included that no policy trusts yet. */
        @JvmStatic
        fun embedded(): Roots = calling { Roots(Beneath.embedded()) }

        /** The roots of the public web, as Mozilla trusts them. */
        @JvmStatic
        fun publicWeb(): Roots = calling { Roots(Beneath.publicWeb()) }

        /** Private roots from PEM: `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromPem(text: String): Roots = calling { Roots(Beneath.fromPem(text)) }

        /** Private roots from PEM, or one certificate in DER. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromPemOrDer(data: ByteArray): Roots = calling { Roots(Beneath.fromPemOrDer(data)) }

        /** Private roots from certificates. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromCertificates(certificates: List<X509Certificate>): Roots = calling { Roots(Beneath.fromDer(certificates.map { it.encoded })) }

        /** Private roots from a file in PEM, or with one certificate in DER. */
        @JvmStatic
        @Throws(HubTlsException::class)
        fun fromFile(path: Path): Roots = calling { Roots(Beneath.fromFile(path.toString())) }
    }
}
