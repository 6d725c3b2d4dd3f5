package org.hubtls

import java.io.DataInputStream
import java.io.InputStream
import java.nio.ByteBuffer

/** A ClientHello, as it is on the wire. */
class Hello private constructor(val suites: List<Int>, private val extensions: Map<Int, ByteBuffer>) {
    val versions: List<Int>
        get() {
            val list = extensions[43]?.duplicate() ?: return listOf(0x0303)
            return List(list.get().toInt() / 2) { list.short.toInt() and 0xFFFF }
        }

    val serverName: String?
        get() = extensions[0]?.duplicate()?.let { name ->
            name.position(5)
            ByteArray(name.remaining()).also(name::get).decodeToString()
        }

    val fragmentLength: Int? get() = extensions[1]?.get(0)?.toInt()

    companion object {
        /** TLS_EMPTY_RENEGOTIATION_INFO_SCSV. */
        const val SCSV = 0x00FF

        fun read(stream: InputStream): Hello {
            val input = DataInputStream(stream)
            check(input.readUnsignedByte() == 22)
            input.readShort()
            val record = ByteArray(input.readUnsignedShort())
            input.readFully(record)
            val hello = ByteBuffer.wrap(record, 4 + 2 + 32, record.size - 38)
            hello.position(hello.position() + 1 + hello.get(hello.position()))
            val suites = List((hello.short.toInt() and 0xFFFF) / 2) { hello.short.toInt() and 0xFFFF }
            hello.position(hello.position() + 1 + hello.get(hello.position()))
            hello.short
            val extensions = LinkedHashMap<Int, ByteBuffer>()
            while (hello.hasRemaining()) {
                val kind = hello.short.toInt() and 0xFFFF
                val length = hello.short.toInt() and 0xFFFF
                extensions[kind] = hello.slice(hello.position(), length)
                hello.position(hello.position() + length)
            }
            return Hello(suites, extensions)
        }
    }
}

/** The least of a web server. */
object Web {
    /** Answers one request with this body and closes; the request's head. */
    fun answer(socket: java.net.Socket, body: String): String {
        val head = StringBuilder()
        val input = socket.getInputStream()
        while (!head.endsWith("\r\n\r\n")) {
            val next = input.read()
            if (next < 0) return head.toString()
            head.append(next.toChar())
        }
        val length = Regex("(?i)content-length: (\\d+)").find(head)?.groupValues?.get(1)?.toInt() ?: 0
        val content = input.readNBytes(length).decodeToString()
        socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n$body".toByteArray())
        return head.append(content).toString()
    }
}
