package org.hubtls

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger

/** A certificate and its key as PEM, and the files that hold them. */
class Issued(val chain: Path, val key: Path) {
    val chainPem: String get() = Files.readString(chain)
    val keyPem: String get() = Files.readString(key)
}

/** A throwaway root, and the certificates that it issues; made with the command `openssl`. */
class Authority(private val folder: Path, private val algorithm: List<String> = EC) {
    private val serial = AtomicInteger()
    val root: Path = folder.resolve("root-${number.incrementAndGet()}.pem")
    private val rootKey = root.resolveSibling("${root.fileName}.key")

    init {
        val name = "/CN=Test root ${root.fileName}"
        openssl("req", "-x509", "-newkey", *algorithm.toTypedArray(), "-nodes", "-days", "30", "-subj", name, "-keyout", "$rootKey", "-out", "$root")
    }

    val rootPem: String get() = Files.readString(root)
    val roots: Roots get() = Roots.fromFile(root)

    /** For these DNS names and IP addresses; the first is the subject. */
    @JvmOverloads
    fun issue(vararg names: String = arrayOf("localhost", "127.0.0.1"), algorithm: List<String> = this.algorithm): Issued {
        val stem = "${root.fileName}-${serial.incrementAndGet()}"
        val (key, request, chain, extensions) = listOf("key", "csr", "pem", "ext").map { folder.resolve("$stem.$it") }
        openssl("req", "-new", "-newkey", *algorithm.toTypedArray(), "-nodes", "-subj", "/CN=${names[0]}", "-keyout", "$key", "-out", "$request")
        val alternatives = names.joinToString(",") { if (it.matches(Regex("[\\d.]+"))) "IP:$it" else "DNS:$it" }
        Files.writeString(
            extensions,
            "subjectAltName=$alternatives\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n",
        )
        openssl(
            "x509", "-req", "-in", "$request", "-CA", "$root", "-CAkey", "$rootKey", "-set_serial", "${1000 + serial.get()}", "-days", "20",
            "-extfile", "$extensions", "-out", "$chain",
        )
        return Issued(chain, key)
    }

    companion object {
        private val number = AtomicInteger()
        val EC = listOf("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        val RSA = listOf("rsa:2048")

        fun openssl(vararg arguments: String): String {
            val child = ProcessBuilder("openssl", *arguments).redirectErrorStream(true).start()
            child.outputStream.close()
            val said = child.inputStream.readAllBytes().decodeToString()
            check(child.waitFor() == 0) { "openssl ${arguments.joinToString(" ")}: $said" }
            return said
        }
    }
}
