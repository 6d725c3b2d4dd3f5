package org.hubtls

import java.lang.ref.WeakReference
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

class LeakTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private fun resident(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(50)
        }
        return Files.readString(Path.of("/proc/self/statm")).split(" ")[1].toLong() * 4096
    }

    private fun files() = Files.list(Path.of("/proc/self/fd")).use { it.count() }

    private fun echoServer() = bench.program("echo-server").let { it["port"].asInt to Roots.fromFile(Path.of(it["directory"].asString, "roots.pem")) }

    @Test
    fun `five thousand connections leave nothing behind, closed or not, failed or not`() {
        val (port, roots) = echoServer()
        val config = Config(roots = roots)
        val stranger = Config()
        val factory = HubTlsSocketFactory(config)
        fun round(count: Int) {
            repeat(count) { number ->
                val socket = (if (number % 10 == 9) HubTlsSocketFactory(stranger) else factory).createSocket("localhost", port) as TlsSocket
                val shaken = runCatching { socket.startHandshake() }.isSuccess
                assertEquals(number % 10 != 9, shaken)
                if (shaken) {
                    socket.outputStream.write(7)
                    assertEquals(7, socket.inputStream.read())
                }
                // Every fifth is forgotten.
                if (number % 5 != 0) socket.close()
                if (number % 500 == 499) System.gc()
            }
        }
        round(1_000)
        val (before, open) = resident() to files()
        round(4_000)
        val (after, left) = resident() to files()
        println("5,000 connections: ${(after - before) / 1024} KB more")
        assertTrue(after - before < 24_000_000, "${after - before} bytes more")
        assertTrue(left - open < 50, "${left - open} files more")
    }

    @Test
    fun `engines that nobody closes are freed`() {
        val config = Config()
        fun make(count: Int) = repeat(count) { Connection(config, "localhost").transmit() }
        make(2_000)
        val before = resident()
        repeat(10) {
            make(2_000)
            System.gc()
        }
        val after = resident()
        println("20,000 connections that nobody closed: ${(after - before) / 1024} KB more")
        assertTrue(after - before < 48_000_000, "${after - before} bytes more")
    }

    @Test
    fun `a socket that nobody holds goes, with its configuration`() {
        val (port, roots) = echoServer()
        fun forgotten(): WeakReference<Config> {
            val config = Config(roots = roots)
            TlsSocket.connect(config, "localhost", port)
            return WeakReference(config)
        }
        val reference = forgotten()
        val begun = System.nanoTime()
        while (reference.get() != null && System.nanoTime() - begun < PATIENCE * 1_000_000L) {
            System.gc()
            Thread.sleep(20)
        }
        assertEquals(null, reference.get())
    }

    @Test
    fun `two hundred threads share a configuration`() {
        val (port, roots) = echoServer()
        val config = Config(roots = roots)
        val threads = Executors.newFixedThreadPool(50)
        bench.ending { threads.shutdownNow() }
        val all =
            List(200) { number ->
                CompletableFuture.supplyAsync({
                    TlsSocket.connect(config, "localhost", port).use { socket ->
                        socket.soTimeout = PATIENCE
                        val sent = Random(number).nextBytes(50_000)
                        val writer = CompletableFuture.runAsync({ socket.outputStream.write(sent) }) // in the common pool
                        val back = socket.inputStream.readNBytes(sent.size)
                        writer.join()
                        back.contentEquals(sent)
                    }
                }, threads)
            }
        assertTrue(all.all { it.get(2L * PATIENCE, TimeUnit.MILLISECONDS) })
    }
}
