package org.hubtls

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.Closeable
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import org.junit.jupiter.api.extension.AfterEachCallback
import org.junit.jupiter.api.extension.BeforeEachCallback
import org.junit.jupiter.api.extension.ExtensionContext

/** Milliseconds after which a test gives up on what takes milliseconds on an idle machine. */
const val PATIENCE = 20_000

/** Where `scenario-server` and `echo-server` of tests/ were built. */
val PROGRAMS: Path = Path.of(System.getProperty("hubtls.programs"))

/** The repository. */
val ROOT: Path = Path.of(System.getProperty("hubtls.root"))

/** Real servers on loopback and a folder, each ended with the test: `@RegisterExtension val bench = Bench()`. */
class Bench : BeforeEachCallback, AfterEachCallback, AutoCloseable {
    private val closing = ArrayDeque<Closeable>()
    val folder: Path by lazy { Files.createTempDirectory("hubtls-").also { made -> ending { made.toFile().deleteRecursively() } } }
    val authority: Authority by lazy { Authority(folder) }

    override fun beforeEach(context: ExtensionContext) = Unit

    override fun afterEach(context: ExtensionContext) = close()

    override fun close() {
        while (true) (closing.removeLastOrNull() ?: break).close()
    }

    fun ending(work: () -> Unit) {
        closing.addLast { work() }
    }

    fun <T : AutoCloseable> closing(made: T): T {
        closing.addLast { made.close() }
        return made
    }

    private fun started(command: List<String>): Process {
        val child = ProcessBuilder(command).redirectErrorStream(true).start()
        ending {
            child.destroyForcibly()
            child.waitFor(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        }
        return child
    }

    /** Reads until a line of the program's matches, and goes on reading so that it never blocks. */
    private fun await(child: Process, ready: Regex): MatchResult {
        val reader = child.inputStream.bufferedReader()
        val said = StringBuilder()
        while (true) {
            val line = reader.readLine() ?: throw IllegalStateException("it did not start: $said")
            said.appendLine(line)
            val found = ready.find(line) ?: continue
            thread(isDaemon = true) {
                try {
                    while (reader.readLine() != null) Unit
                } catch (_: IOException) {
                    // It was ended.
                }
            }
            return found
        }
    }

    /** A server of tests/ that prints a line of JSON and serves until its input ends. */
    fun program(name: String, vararg values: String): JsonObject {
        val child = started(listOf("${PROGRAMS.resolve(name)}", *values))
        return JsonParser.parseString(await(child, Regex("^\\{.*")).value).asJsonObject
    }

    /** `openssl s_server` at a port that the kernel chooses. */
    fun openssl(vararg arguments: String): Int {
        val child = started(listOf("openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1000", *arguments))
        return await(child, Regex("ACCEPT 127\\.0\\.0\\.1:(\\d+)")).groupValues[1].toInt()
    }

    /** mosquitto with TLS at the first port and without at the second; `lines` go to the TLS listener's configuration. */
    fun mosquitto(server: Issued, vararg lines: String, fixed: Int? = null): Pair<Int, Int> {
        val port = fixed ?: freePort()
        val plain = freePort()
        val configuration = folder.resolve("mosquitto-$port.conf")
        Files.write(
            configuration,
            listOf(
                "user root", "per_listener_settings true", "log_dest stderr", "listener $plain 127.0.0.1", "allow_anonymous true",
                "listener $port 127.0.0.1", "allow_anonymous true", "certfile ${server.chain}", "keyfile ${server.key}", *lines,
            ),
        )
        val binary = if (Files.exists(Path.of("/usr/sbin/mosquitto"))) "/usr/sbin/mosquitto" else "mosquitto"
        await(started(listOf(binary, "-c", "$configuration")), Regex("mosquitto version \\S+ running"))
        return port to plain
    }

    /** A server without TLS: serves each connection in a thread of its own until the test ends. */
    fun tcp(port: Int = 0, handle: (Socket) -> Unit): Int {
        val server = ServerSocket(port, 50, LOOPBACK)
        val sockets = CopyOnWriteArrayList<Socket>()
        ending {
            server.close()
            sockets.forEach(Socket::close)
        }
        thread(isDaemon = true) {
            while (!server.isClosed) {
                val socket =
                    try {
                        server.accept()
                    } catch (_: IOException) {
                        break
                    }
                sockets += socket
                thread(isDaemon = true) {
                    try {
                        socket.use(handle)
                    } catch (_: IOException) {
                        // The client's side of the story is what is tested.
                    } finally {
                        sockets -= socket
                    }
                }
            }
        }
        return server.localPort
    }

    companion object {
        val LOOPBACK: InetAddress = InetAddress.getByName("127.0.0.1")

        fun freePort(): Int = ServerSocket(0, 1, LOOPBACK).use { it.localPort }
    }
}

/** Sends back what comes. */
fun echo(socket: Socket) {
    val (input, output) = socket.getInputStream() to socket.getOutputStream()
    val buffer = ByteArray(16_384)
    while (true) {
        val count = input.read(buffer)
        if (count < 0) return
        output.write(buffer, 0, count)
    }
}
