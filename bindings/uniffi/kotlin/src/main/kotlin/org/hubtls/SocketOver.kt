package org.hubtls

import java.io.IOException
import java.net.InetAddress
import java.net.Socket
import java.net.SocketAddress
import java.net.SocketException
import java.net.SocketOption
import java.nio.channels.SocketChannel
import javax.net.ssl.SSLSocket

/** A client with the properties of the socket beneath it. */
abstract class SocketOver internal constructor(internal val beneath: Socket) : SSLSocket() {
    @Throws(IOException::class)
    override fun bind(address: SocketAddress?) = beneath.bind(address)

    @Throws(IOException::class)
    override fun connect(address: SocketAddress) = connect(address, 0)

    @Throws(IOException::class)
    override fun connect(address: SocketAddress, timeout: Int) = beneath.connect(address, timeout)

    override fun getInetAddress(): InetAddress? = beneath.inetAddress

    override fun getLocalAddress(): InetAddress = beneath.localAddress

    override fun getPort(): Int = beneath.port

    override fun getLocalPort(): Int = beneath.localPort

    override fun getRemoteSocketAddress(): SocketAddress? = beneath.remoteSocketAddress

    override fun getLocalSocketAddress(): SocketAddress? = beneath.localSocketAddress

    /** Null: whoever wrote to it would write past TLS. */
    override fun getChannel(): SocketChannel? = null

    @Throws(SocketException::class)
    override fun setTcpNoDelay(on: Boolean) {
        beneath.tcpNoDelay = on
    }

    @Throws(SocketException::class)
    override fun getTcpNoDelay(): Boolean = beneath.tcpNoDelay

    @Throws(SocketException::class)
    override fun setSoLinger(on: Boolean, linger: Int) = beneath.setSoLinger(on, linger)

    @Throws(SocketException::class)
    override fun getSoLinger(): Int = beneath.soLinger

    @Throws(IOException::class)
    override fun sendUrgentData(data: Int): Unit = throw SocketException("TLS has no urgent data")

    @Throws(SocketException::class)
    override fun setOOBInline(on: Boolean): Unit = throw SocketException("TLS has no urgent data")

    @Throws(SocketException::class)
    override fun getOOBInline(): Boolean = false

    @Throws(SocketException::class)
    override fun setSoTimeout(timeout: Int) {
        beneath.soTimeout = timeout
    }

    @Throws(SocketException::class)
    override fun getSoTimeout(): Int = beneath.soTimeout

    @Throws(SocketException::class)
    override fun setSendBufferSize(size: Int) {
        beneath.sendBufferSize = size
    }

    @Throws(SocketException::class)
    override fun getSendBufferSize(): Int = beneath.sendBufferSize

    @Throws(SocketException::class)
    override fun setReceiveBufferSize(size: Int) {
        beneath.receiveBufferSize = size
    }

    @Throws(SocketException::class)
    override fun getReceiveBufferSize(): Int = beneath.receiveBufferSize

    @Throws(SocketException::class)
    override fun setKeepAlive(on: Boolean) {
        beneath.keepAlive = on
    }

    @Throws(SocketException::class)
    override fun getKeepAlive(): Boolean = beneath.keepAlive

    @Throws(SocketException::class)
    override fun setTrafficClass(value: Int) {
        beneath.trafficClass = value
    }

    @Throws(SocketException::class)
    override fun getTrafficClass(): Int = beneath.trafficClass

    @Throws(SocketException::class)
    override fun setReuseAddress(on: Boolean) {
        beneath.reuseAddress = on
    }

    @Throws(SocketException::class)
    override fun getReuseAddress(): Boolean = beneath.reuseAddress

    override fun setPerformancePreferences(connectionTime: Int, latency: Int, bandwidth: Int) =
        beneath.setPerformancePreferences(connectionTime, latency, bandwidth)

    @Throws(IOException::class)
    override fun <T> setOption(name: SocketOption<T>, value: T): Socket {
        beneath.setOption(name, value)
        return this
    }

    @Throws(IOException::class)
    override fun <T> getOption(name: SocketOption<T>): T = beneath.getOption(name)

    override fun supportedOptions(): Set<SocketOption<*>> = beneath.supportedOptions()

    override fun isConnected(): Boolean = beneath.isConnected

    override fun isBound(): Boolean = beneath.isBound

    override fun isClosed(): Boolean = beneath.isClosed

    override fun isInputShutdown(): Boolean = beneath.isInputShutdown

    override fun isOutputShutdown(): Boolean = beneath.isOutputShutdown

    override fun setUseClientMode(mode: Boolean) = require(mode) { "hubtls is a client" }

    override fun getUseClientMode(): Boolean = true

    override fun setNeedClientAuth(need: Boolean) = Unit

    override fun getNeedClientAuth(): Boolean = false

    override fun setWantClientAuth(want: Boolean) = Unit

    override fun getWantClientAuth(): Boolean = false
}
