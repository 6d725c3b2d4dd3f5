package org.hubtls.bench

import java.io.DataInputStream
import java.io.OutputStream
import java.lang.management.ManagementFactory
import java.net.InetAddress
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLServerSocket
import javax.net.ssl.SSLSocket
import kotlin.concurrent.thread
import org.hubtls.Authority
import org.hubtls.Config
import org.hubtls.HubTlsSocketFactory
import org.hubtls.Issued
import org.hubtls.JsseServer
import org.hubtls.Policy
import org.hubtls.Roots

/** The benchmark of the Java package: every figure is a ratio to JSSE in the same run, alternated with it. bench/README.md says how to run it. */
private const val ROUNDS = 7
private const val MEGABYTE = 1 shl 20

/** Messages of 128 bytes that fit into the sockets' buffers, and milliseconds in which they get there. */
private const val MESSAGES = 1_000
private const val PAUSE = 20L
private val VERSIONS = listOf("TLSv1.2", "TLSv1.3")
private val threads = ManagementFactory.getThreadMXBean()

private class Row(val what: String, val version: String, val ratio: Double, val target: String) {
    init {
        System.err.println("$version $what: %.2f".format(ratio))
    }
}

/** Connects; neither of the two resumes a session. */
private class Clients(folder: Path, version: String) {
    private val config = Config(policy = Policy.named().onlyVersions(version), roots = Roots.fromFile(folder.resolve("root-1.pem")), resumption = false)
    private val factory = HubTlsSocketFactory(config)
    private val context = SSLContext.getInstance("TLS").apply { init(null, JsseServer.trustManagers(folder.resolve("root-1.pem")), null) }
    private val parameters = SSLParameters(config.policy.suites.toTypedArray(), arrayOf(version)).apply { endpointIdentificationAlgorithm = "HTTPS" }
    fun hubtls(beneath: Socket) = factory.createSocket(beneath, "localhost", beneath.port, true) as SSLSocket

    fun jsse(beneath: Socket): SSLSocket {
        val sessions = context.clientSessionContext
        for (id in sessions.ids) sessions.getSession(id)?.invalidate()
        return (context.socketFactory.createSocket(beneath, "localhost", beneath.port, true) as SSLSocket).also { it.sslParameters = parameters }
    }

    val both: Map<String, (Socket) -> SSLSocket> = mapOf("hubtls" to ::hubtls, "jsse" to ::jsse)
}

private fun serve(folder: Path) {
    val context = JsseServer.context(Issued(folder.resolve("root-1.pem-1.pem"), folder.resolve("root-1.pem-1.key")), null)
    val server = context.serverSocketFactory.createServerSocket(0, 4096, InetAddress.getByName("127.0.0.1")) as SSLServerSocket
    println(server.localPort)
    thread(isDaemon = true) {
        while (true) {
            val socket = server.accept().apply { tcpNoDelay = true }
            thread(isDaemon = true) { runCatching { socket.use(::answer) } }
        }
    }
    while (System.`in`.read() >= 0) Unit
    System.exit(0)
}

/** `E`: one byte back. `T n`: takes n bytes and says so. `P n`: the same after a pause. `S n c`: sends n bytes in chunks of c. */
private fun answer(socket: Socket) {
    val (input, output) = DataInputStream(socket.getInputStream().buffered(4_096)) to socket.getOutputStream()
    while (true) {
        val command = input.read()
        when (command) {
            'E'.code -> output.write('E'.code)
            'T'.code, 'P'.code -> {
                if (command == 'P'.code) Thread.sleep(PAUSE)
                input.skipNBytes(input.readInt().toLong())
                output.write('T'.code)
            }
            'S'.code -> {
                val (count, chunk) = input.readInt() to ByteArray(input.readInt())
                for (sent in 0 until count step chunk.size) output.write(chunk)
            }
            else -> return
        }
    }
}

private class Server(folder: Path) : AutoCloseable {
    private val child = program("--serve", "$folder")
    val port = child.inputStream.bufferedReader().readLine().toInt()

    override fun close() {
        child.outputStream.close()
        child.waitFor()
    }
}

private fun program(vararg arguments: String): Process =
    ProcessBuilder("${System.getProperty("java.home")}/bin/java", "-Xmx1g", "-cp", System.getProperty("java.class.path"), "org.hubtls.bench.TableKt", *arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()

/** Medians of several rounds each; taken in turns, so that a slow moment hits both. */
private fun alternated(works: Map<String, () -> Double>, warm: Int = 2, rounds: Int = ROUNDS): Map<String, Double> {
    val results = works.mapValues { ArrayList<Double>() }
    for (round in -warm until rounds) {
        for ((name, work) in if (round % 2 == 0) works.entries.toList() else works.entries.reversed()) {
            val value = work()
            if (round >= 0) results.getValue(name) += value
        }
    }
    return results.mapValues { it.value.sorted()[it.value.size / 2] }
}

private fun Map<String, Double>.speed() = getValue("jsse") / getValue("hubtls")

private class Spent(val cpu: Double, val clock: Double)

/** Seconds of this thread's CPU, and of the clock. */
private inline fun spent(work: () -> Unit): Spent {
    val (cpu, clock) = threads.currentThreadCpuTime to System.nanoTime()
    work()
    return Spent((threads.currentThreadCpuTime - cpu) / 1e9, (System.nanoTime() - clock) / 1e9)
}

private fun open(client: (Socket) -> SSLSocket, port: Int) = client(Socket("127.0.0.1", port).apply { tcpNoDelay = true })

private fun handshakes(port: Int, version: String, clients: Clients): List<Row> {
    val work = clients.both.mapValues { (_, client) ->
        {
            spent { repeat(100) { connected(client, port) {} } }
        }
    }
    val cpu = alternated(work.mapValues { { it.value().cpu } }, warm = 6)
    val clock = alternated(work.mapValues { { it.value().clock } }, warm = 1)
    return listOf(
        Row("full handshakes, speed by client's CPU", version, cpu.speed(), "at least 1.5"),
        Row("full handshakes one after another, speed by the clock, the server counted", version, clock.speed(), ""),
    )
}

private fun OutputStream.int(value: Int) = write(byteArrayOf((value shr 24).toByte(), (value shr 16).toByte(), (value shr 8).toByte(), value.toByte()))

private fun SSLSocket.ask(command: Char, vararg numbers: Int) {
    outputStream.write(command.code)
    numbers.forEach(outputStream::int)
}

private fun SSLSocket.take(buffer: ByteArray, total: Int) {
    var left = total
    while (left > 0) left -= inputStream.read(buffer)
}

/** Does `work` with a connection whose hands are shaken. */
private fun <T> connected(client: (Socket) -> SSLSocket, port: Int, work: (SSLSocket) -> T): T =
    open(client, port).use { socket ->
        socket.ask('E')
        socket.inputStream.read()
        work(socket)
    }

private fun bulk(port: Int, version: String, clients: Clients, total: Int, target: String): List<Row> {
    val buffer = ByteArray(16_384)
    val receive = { socket: SSLSocket ->
        socket.ask('S', total, buffer.size)
        spent { socket.take(buffer, total) }
    }
    val send = { socket: SSLSocket ->
        socket.ask('T', total)
        spent {
            for (sent in 0 until total step buffer.size) socket.outputStream.write(buffer)
            socket.inputStream.read()
        }
    }
    return listOf("receive" to receive, "send" to send).flatMap { (what, one) ->
        val work = clients.both.mapValues { (_, client) -> { connected(client, port, one) } }
        val cpu = alternated(work.mapValues { { it.value().cpu } })
        val clock = alternated(work.mapValues { { it.value().clock } }, warm = 1)
        val way = "$what ${total / MEGABYTE} MB, 16 KB at a time"
        listOf(
            Row("$way, speed by client's CPU", version, cpu.speed(), target),
            Row("$way, speed by the clock, the server counted", version, clock.speed(), ""),
        )
    }
}

private fun small(port: Int, version: String, clients: Clients): List<Row> {
    val buffer = ByteArray(128)
    val total = MESSAGES * buffer.size
    val receive = { socket: SSLSocket ->
        socket.ask('S', total, buffer.size)
        Thread.sleep(PAUSE)
        spent { socket.take(buffer, total) }.cpu
    }
    val send = { socket: SSLSocket ->
        socket.ask('P', total)
        spent { repeat(MESSAGES) { socket.outputStream.write(buffer) } }.cpu.also { socket.inputStream.read() }
    }
    val both = { socket: SSLSocket ->
        spent {
            repeat(MESSAGES) {
                socket.ask('E')
                socket.inputStream.read()
            }
        }.clock
    }
    fun row(what: String, target: String, one: (SSLSocket) -> Double): Row {
        val work = clients.both.mapValues { (_, client) -> { connected(client, port) { socket -> (0 until 20).sumOf { one(socket) } } } }
        return Row(what, version, alternated(work).speed(), target)
    }
    return listOf(
        row("receive messages of 128 bytes that have arrived, speed by client's CPU", "at least 1", receive),
        row("send messages of 128 bytes, speed by client's CPU", "at least 1", send),
        row("a byte there and back, speed by the clock", "", both),
    )
}

/** Kilobytes of one of 1,000 idle connections, resident, in a process of its own. */
private fun measureMemory(folder: Path, name: String, port: Int, version: String) {
    val client = Clients(folder, version).both.getValue(name)
    val kept = ArrayList<SSLSocket>()
    fun more(count: Int) =
        repeat(count) {
            kept += open(client, port).also { socket ->
                socket.ask('E')
                socket.inputStream.read()
            }
        }
    fun used(): Double {
        repeat(4) {
            System.gc()
            Thread.sleep(100)
        }
        // What the heap holds, and what lies outside it.
        val heap = ManagementFactory.getMemoryMXBean().heapMemoryUsage
        val resident = Files.readString(Path.of("/proc/self/statm")).split(" ")[1].toLong() * 4
        return resident - heap.committed / 1024.0 + heap.used / 1024.0
    }
    more(100)
    val before = used()
    more(1000)
    println((used() - before) / 1000)
    System.exit(0)
}

private fun memory(folder: Path, port: Int, version: String): Row {
    val took =
        listOf("hubtls", "jsse").associateWith { name ->
            List(3) { program("--memory", "$folder", name, "$port", version).inputStream.bufferedReader().readLine().toDouble() }.sorted()[1]
        }
    val (ours, theirs) = listOf("hubtls", "jsse").map { "%.1f".format(took.getValue(it)) }
    return Row("1,000 idle connections, memory ($ours KB each against $theirs)", version, 1 / took.speed(), "")
}

/** Nanoseconds of a call of C that does nothing, and of one by uniffi. */
private fun crossing(): String {
    val policy = Policy.named()
    fun nanoseconds(count: Int, work: () -> Unit): Double {
        repeat(count) { work() }
        return List(ROUNDS) { spent { repeat(count) { work() } }.cpu * 1e9 / count }.sorted()[ROUNDS / 2]
    }
    val nothing = ByteArray(0)
    val direct = nanoseconds(200_000) { org.hubtls.ffi.Chunks.outgoing(0, nothing) }
    val uniffi = nanoseconds(20_000) { policy.isNarrowed }
    return "A call of a native method costs %.0f ns, one of uniffi's %.0f ns: bytes go by the first, one call for up to 64 KB.".format(direct, uniffi)
}

private fun table(folder: Path): List<String> {
    val rows = ArrayList<Row>()
    // Java compiles while it runs: what is measured first should not pay for that.
    for (version in VERSIONS) {
        Server(folder).use { server ->
            handshakes(server.port, version, Clients(folder, version))
            bulk(server.port, version, Clients(folder, version), 16 * MEGABYTE, "")
        }
    }
    for (version in VERSIONS) {
        Server(folder).use { server ->
            val clients = Clients(folder, version)
            rows += handshakes(server.port, version, clients)
            rows += bulk(server.port, version, clients, 64 * MEGABYTE, "at least 1")
            rows += small(server.port, version, clients)
            rows += memory(folder, server.port, version)
        }
    }
    return listOf("| what | TLS | hubtls | target |", "| --- | --- | --- | --- |") +
        rows.map { "| ${it.what} | ${it.version.removePrefix("TLSv")} | ${"%.2f".format(it.ratio)} | ${it.target} |" } + listOf("", crossing())
}

fun main(arguments: Array<String>) {
    when (arguments.firstOrNull()) {
        "--serve" -> return serve(Path.of(arguments[1]))
        "--memory" -> return measureMemory(Path.of(arguments[1]), arguments[2], arguments[3].toInt(), arguments[4])
    }
    val folder = Files.createTempDirectory("hubtls-bench-")
    try {
        Authority(folder).issue()
        val lines = table(folder)
        println(lines.joinToString("\n"))
        if (arguments.firstOrNull() == "--write") {
            val page = Path.of(arguments[1])
            val text = Files.readString(page)
            val (before, after) = text.substringBefore("<!-- table -->\n") to text.substringAfter("<!-- end -->")
            val machine = "Java ${System.getProperty("java.version")}, Linux on x86-64, two cores."
            Files.writeString(page, "$before<!-- table -->\n$machine\n\n${lines.joinToString("\n")}\n<!-- end -->$after")
        }
    } finally {
        folder.toFile().deleteRecursively()
    }
}
