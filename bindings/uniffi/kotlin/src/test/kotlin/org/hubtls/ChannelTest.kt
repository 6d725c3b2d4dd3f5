package org.hubtls

import java.net.SocketException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

class ChannelTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private suspend fun connected(port: Int) = bench.closing(TlsChannel.connect(Config(roots = bench.authority.roots), "localhost", port))

    private suspend fun TlsChannel.readFully(size: Int): ByteArray {
        val bytes = ByteArray(size)
        var count = 0
        while (count < size) count += read(bytes, count).also { check(it > 0) }
        return bytes
    }

    @Test
    fun `one coroutine writes while another one reads, in one thread`() = runBlocking {
        withTimeout(PATIENCE.toLong()) {
            val channel = connected(JsseServer.start(bench))
            val sent = Random(3).nextBytes(4_000_000)
            launch { channel.write(sent) }
            assertArrayEquals(sent, channel.readFully(sent.size))
            assertEquals("TLSv1.3", channel.negotiated.version)
            channel.finish()
            assertEquals(-1, channel.read(ByteArray(1)))
            assertEquals("WRITE_AFTER_FINISH", runCatching { channel.write(ByteArray(1)) }.exceptionOrNull().let { (it as HubTlsException).code })
        }
    }

    @Test
    fun `a read that is cancelled loses nothing`() = runBlocking {
        val go = CountDownLatch(1)
        val channel = connected(JsseServer.late(bench, go))
        assertTrue(runCatching { withTimeout(50) { channel.read(ByteArray(10)) } }.exceptionOrNull() is TimeoutCancellationException)
        go.countDown()
        assertEquals("late", withTimeout(PATIENCE.toLong()) { channel.readFully(4) }.decodeToString())
    }

    @Test
    fun `a write that is cancelled closes the channel`() = runBlocking {
        val port = JsseServer.start(bench) { it.startHandshake(); Thread.sleep(PATIENCE.toLong()) }
        val channel = connected(port)
        val writing = launch(Dispatchers.Default) { while (true) channel.write(ByteArray(1_000_000)) }
        delay(300)
        withTimeout(PATIENCE.toLong()) { writing.cancelAndJoin() }
        assertTrue(runCatching { channel.write(ByteArray(1)) }.exceptionOrNull() is SocketException)
        assertTrue(channel.isClosed)
    }

    @Test
    fun `what was written before finishing arrives, though nothing was read`() = runBlocking {
        val counted = CompletableFuture<Int>()
        val go = CountDownLatch(1)
        val port =
            JsseServer.start(bench, setUp = { it.receiveBufferSize = 20_000 }) {
                it.startHandshake()
                go.await()
                counted.complete(runCatching { it.inputStream.readAllBytes().size }.getOrDefault(-1))
            }
        val channel = connected(port)
        // A session ticket, which nobody reads.
        delay(200)
        channel.write(ByteArray(500_000))
        channel.finish()
        channel.close()
        go.countDown()
        assertEquals(500_000, counted.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
    }

    @Test
    fun `cancelling and time limits end connecting`() = runBlocking {
        val port = bench.tcp { it.getInputStream().readAllBytes() }
        val config = Config()
        val error = runCatching { TlsChannel.connect(config, "localhost", port, handshakeTimeout = 100) }.exceptionOrNull()
        assertEquals("TIMEOUT", (error as HubTlsException).code)
        val connecting = async(Dispatchers.Default) { TlsChannel.connect(config, "localhost", port) }
        delay(50)
        connecting.cancelAndJoin()
        assertThrows(CancellationException::class.java) { runBlocking { connecting.await() } }
        assertTrue(runCatching { TlsChannel.connect(config, "localhost", Bench.freePort()) }.exceptionOrNull() is java.io.IOException)
    }

    @Test
    fun `closing ends a read`() = runBlocking {
        val channel = connected(JsseServer.start(bench) { it.startHandshake(); Thread.sleep(PATIENCE.toLong()) })
        val reading = async(Dispatchers.Default) { runCatching { channel.read(ByteArray(1)) }.exceptionOrNull() }
        delay(50)
        channel.close()
        assertTrue(withTimeout(PATIENCE.toLong()) { reading.await() } is SocketException)
        assertTrue(channel.isClosed)
    }

    @Test
    fun `a hundred connections at once in two threads`() = runBlocking {
        val port = JsseServer.start(bench)
        val two = Dispatchers.Default.limitedParallelism(2)
        val config = Config(roots = bench.authority.roots)
        val sizes =
            List(100) { number ->
                async(two) {
                    TlsChannel.connect(config, "localhost", port).use { channel ->
                        val sent = Random(number).nextBytes(20_000)
                        launch { channel.write(sent) }
                        channel.readFully(sent.size).contentEquals(sent)
                    }
                }
            }.awaitAll()
        assertTrue(sizes.all { it })
    }
}
