package org.hubtls

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import javax.net.ssl.SSLSocketFactory

/**
 * Makes [TlsSocket]s, for whatever takes an `SSLSocketFactory`: Paho, HttpsURLConnection, OkHttp.
 *
 * The host name that a socket is made for is always verified.
 *
 * @param config shared by all sockets, which resume each other's sessions
 * @param handshakeTimeout milliseconds for shaking hands; 0 for no limit
 */
class HubTlsSocketFactory
    @JvmOverloads
    constructor(private val config: Config, private val handshakeTimeout: Int = TlsSocket.HANDSHAKE_TIMEOUT) : SSLSocketFactory() {
        init {
            require(handshakeTimeout >= 0) { "$handshakeTimeout is no time in milliseconds" }
        }

        override fun getDefaultCipherSuites(): Array<String> = config.policy.suites.toTypedArray()

        override fun getSupportedCipherSuites(): Array<String> = defaultCipherSuites

        private fun over(beneath: Socket, host: String?, autoClose: Boolean) = TlsSocket(beneath, config, host, autoClose, handshakeTimeout)

        /** Not connected: the name is that of the address it is connected to. */
        @Throws(IOException::class)
        override fun createSocket(): Socket = over(Socket(), null, true)

        @Throws(IOException::class)
        override fun createSocket(host: String, port: Int): Socket = connected(InetSocketAddress(host, port), host, null)

        @Throws(IOException::class)
        override fun createSocket(host: String, port: Int, localHost: InetAddress?, localPort: Int): Socket =
            connected(InetSocketAddress(host, port), host, InetSocketAddress(localHost, localPort))

        /** The name to verify is the one that the address was made from, or the address itself. */
        @Throws(IOException::class)
        override fun createSocket(host: InetAddress, port: Int): Socket = createSocket(host, port, null, 0)

        @Throws(IOException::class)
        override fun createSocket(address: InetAddress, port: Int, localAddress: InetAddress?, localPort: Int): Socket {
            val to = InetSocketAddress(address, port)
            return connected(to, to.hostString, localAddress?.let { InetSocketAddress(it, localPort) })
        }

        /** Over a connected socket, which is closed with it if [autoClose]. */
        @Throws(IOException::class)
        override fun createSocket(socket: Socket, host: String?, port: Int, autoClose: Boolean): Socket {
            if (!socket.isConnected) throw java.net.SocketException("the socket beneath is not connected")
            return over(socket, host, autoClose)
        }

        private fun connected(to: InetSocketAddress, host: String, from: InetSocketAddress?): Socket {
            if (to.isUnresolved) throw java.net.UnknownHostException(to.hostString)
            val beneath = Socket()
            try {
                if (from != null) beneath.bind(from)
                beneath.connect(to)
            } catch (error: Throwable) {
                beneath.close()
                throw error
            }
            return over(beneath, host, true)
        }
    }
