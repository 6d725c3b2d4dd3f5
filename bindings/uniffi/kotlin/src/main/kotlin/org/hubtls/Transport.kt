package org.hubtls

import java.io.IOException
import java.net.SocketAddress
import java.nio.ByteBuffer
import java.nio.channels.AsynchronousSocketChannel
import java.nio.channels.ClosedChannelException
import java.nio.channels.CompletionHandler
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.suspendCancellableCoroutine

/** An asynchronous channel of Java's for coroutines. */
internal class Transport(private val channel: AsynchronousSocketChannel) {
    private val chunk = ByteBuffer.allocate(CHUNK)

    /** A read that goes on, perhaps for the next reader. */
    private var arriving: CompletableDeferred<Int>? = null

    val remoteAddress: SocketAddress? get() = if (channel.isOpen) channel.remoteAddress else null

    /** What [receive] has got, from its beginning. */
    val received: ByteArray get() = chunk.array()

    /** Cancelled, it closes. */
    suspend fun connect(address: SocketAddress): Unit =
        waiting { channel.connect(address, it, Resuming()) }

    /** How many bytes came; -1 at the end. Cancelled, it goes on for the next call. For one coroutine at a time. */
    suspend fun receive(): Int {
        val arrival = begin()
        try {
            val count = arrival.await()
            arriving = null
            return count
        } catch (error: IOException) {
            throw told(error)
        }
    }

    /** Begins what the next [receive] will wait for. */
    fun begin(): CompletableDeferred<Int> =
        arriving ?: CompletableDeferred<Int>().also {
            arriving = it
            chunk.clear()
            channel.read(chunk, it, Arriving)
        }

    /** All of it. Cancelled, it closes. */
    suspend fun send(bytes: ByteArray, count: Int) {
        val buffer = ByteBuffer.wrap(bytes, 0, count)
        while (buffer.hasRemaining()) waiting { channel.write(buffer, it, Resuming()) }
    }

    private suspend fun waiting(start: (CancellableContinuation<Unit>) -> Unit) =
        try {
            suspendCancellableCoroutine<Unit> { continuation ->
                continuation.invokeOnCancellation { close() }
                start(continuation)
            }
        } catch (error: IOException) {
            throw told(error)
        }

    /** Closing tells all who wait as a socket would. */
    private fun told(error: IOException): IOException = if (error is ClosedChannelException) Codec.closed() else error

    fun close() {
        try {
            channel.close()
        } catch (_: IOException) {
            // It is of no use any more.
        }
    }

    private object Arriving : CompletionHandler<Int, CompletableDeferred<Int>> {
        override fun completed(count: Int, arrival: CompletableDeferred<Int>) {
            arrival.complete(count)
        }

        override fun failed(error: Throwable, arrival: CompletableDeferred<Int>) {
            arrival.completeExceptionally(error)
        }
    }

    private class Resuming<V> : CompletionHandler<V, CancellableContinuation<Unit>> {
        override fun completed(value: V, continuation: CancellableContinuation<Unit>) = continuation.resume(Unit)

        override fun failed(error: Throwable, continuation: CancellableContinuation<Unit>) = continuation.resumeWithException(error)
    }

    private companion object {
        /** What is read at once, and what an idle channel holds. */
        const val CHUNK = 16_384
    }
}
