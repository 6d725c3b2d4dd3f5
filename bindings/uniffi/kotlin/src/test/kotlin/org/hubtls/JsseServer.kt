package org.hubtls

import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.util.concurrent.CountDownLatch
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLSocket
import javax.net.ssl.TrustManagerFactory

/** Java's own TLS as a server. */
object JsseServer {
    fun context(server: Issued?, clients: Authority?): SSLContext {
        val context = SSLContext.getInstance("TLS")
        val keys = server?.let { keyManagers(it) }
        context.init(keys, clients?.let { trustManagers(it) }, null)
        return context
    }

    fun keyManagers(identity: Issued) =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keyStore(identity), PASSWORD) }.keyManagers!!

    fun keyStore(identity: Issued): KeyStore {
        val store = KeyStore.getInstance("PKCS12")
        store.load(null, null)
        val chain = Files.newInputStream(identity.chain).use { CertificateFactory.getInstance("X.509").generateCertificates(it) }
        store.setKeyEntry("it", PemKey.read(Files.readAllBytes(identity.key), null), PASSWORD, chain.toTypedArray())
        return store
    }

    fun trustManagers(authority: Authority) = trustManagers(authority.root)

    fun trustManagers(root: Path) =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply {
            val store = KeyStore.getInstance("PKCS12")
            store.load(null, null)
            Files.newInputStream(root).use { store.setCertificateEntry("it", CertificateFactory.getInstance("X.509").generateCertificate(it)) }
            init(store)
        }.trustManagers!!

    /** Serves on loopback; the port. */
    fun start(
        bench: Bench,
        server: Issued = bench.authority.issue(),
        clients: Authority? = null,
        port: Int = 0,
        setUp: (SSLSocket) -> Unit = {},
        handle: (SSLSocket) -> Unit = ::echo,
    ): Int {
        val context = context(server, clients)
        // Closing what is beneath ends it at once; JSSE's own close would wait for a thread that shakes hands or writes.
        return bench.tcp(port) { beneath ->
            val socket = over(beneath, context, true)
            if (clients != null) socket.needClientAuth = true
            setUp(socket)
            socket.use(handle)
        }
    }

    /** The server's side of a connection that is there already. */
    fun over(beneath: Socket, context: SSLContext, autoClose: Boolean) = context.socketFactory.createSocket(beneath, null, autoClose) as SSLSocket

    /** Says `late` when it may. */
    fun late(bench: Bench, go: CountDownLatch) =
        start(bench) {
            it.startHandshake()
            go.await()
            it.outputStream.write("late".toByteArray())
            it.inputStream.read()
        }

    val PASSWORD = "password".toCharArray()
}
