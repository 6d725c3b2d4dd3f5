package org.hubtls

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import javax.tools.ToolProvider
import org.jetbrains.kotlin.cli.common.ExitCode
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.parallel.ResourceLock

/** Every sample of the READMEs is compiled and run, against servers on loopback that a root of the test's vouches for. */
@ResourceLock("8883")
class ReadmeTest {
    private val page = Files.readString(ROOT.resolve("bindings/uniffi/kotlin/README.md"))

    private class Sample(val name: String, val language: String, val text: String)

    private val samples =
        listOf("README.md", "bindings/uniffi/kotlin/README.md").flatMap { name ->
            Regex("^```(kotlin|java)\n(.*?)^```", setOf(RegexOption.MULTILINE, RegexOption.DOT_MATCHES_ALL)).findAll(Files.readString(ROOT.resolve(name)))
                .mapIndexed { number, found -> Sample("$name:${number + 1}", found.groupValues[1], found.groupValues[2]) }
        }

    @TestFactory
    fun samples() = samples.map { sample -> DynamicTest.dynamicTest("${sample.name}, ${sample.language}") { Bench().use { play(it, sample) } } }

    private fun play(bench: Bench, sample: Sample) {
        val device = bench.authority.issue("device-01")
        Files.copy(device.chain, bench.folder.resolve("device.pem"))
        Files.copy(device.key, bench.folder.resolve("device.key"))
        val server = bench.authority.issue("my-hub.azure-devices.net")
        val text = sample.text
        val mutual = arrayOf("require_certificate true", "cafile ${bench.authority.root}", "use_identity_as_username true")
        when {
            // The SDK knows no port but 8883.
            "sendEvent" in text -> {
                val hub = Hub(bench, bench.mosquitto(server, *mutual, fixed = 8883).second)
                assertEquals("", run(bench, sample, 8883))
                assertEquals("device-01" to TELEMETRY, hub.telemetry())
            }
            "publish(" in text -> {
                val (port, plain) = bench.mosquitto(server, *mutual)
                val hub = Hub(bench, plain)
                assertEquals("", run(bench, sample, port))
                assertEquals("device-01" to TELEMETRY, hub.telemetry())
            }
            ":443" in text -> {
                val port = JsseServer.start(bench, server) { Web.answer(it, "done") }
                assertEquals("200", run(bench, sample, port))
            }
            "catch (HubTlsException" in text -> {
                val said = run(bench, sample, JsseServer.start(bench, server)).lines()
                assertEquals("UNKNOWN_ROOT", said.first())
                assertEquals("unknown_ca false", said.last())
            }
            "Signer {" in text -> assertEquals("P-256", run(bench, sample, 0))
            else -> assertTrue(run(bench, sample, JsseServer.start(bench, server)).startsWith("TLSv1.3"))
        }
    }

    /** As on a machine where the hub listens at that port and the test's root is trusted. */
    private fun run(bench: Bench, sample: Sample, port: Int): String {
        val roots = "org.hubtls.Roots.fromPem(\"${bench.authority.rootPem.trim().replace("\n", "\\n")}\").vouchingForAzure()"
        val text =
            sample.text.replace(Regex("8883|(?<=:)443\\b"), "$port")
                .replace("Config.builder()", "Config.builder().addRoots($roots)")
                .replace(Regex("\\bConfig\\((?=\\S)")) { "Config(addRoots = $roots, " }
                .replace("HubTls.sslContext(Policy.named(\"iothub\"), identity)", "HubTls.sslContext(org.hubtls.Config.builder().addRoots($roots).identity(identity).build())")
                .replace("HubTls.sslContext()", "HubTls.sslContext(org.hubtls.Config.builder().addRoots($roots).build())")
        val own = if (sample.language == "kotlin") "$text\n$TOKEN" else text
        val (classes, main) = if (sample.language == "kotlin") kotlin(bench, own) to "SampleKt" else java(bench, own) to "Sample"
        val child =
            ProcessBuilder(
                "${System.getProperty("java.home")}/bin/java", "-Djdk.net.hosts.file=${System.getProperty("jdk.net.hosts.file")}",
                "-cp", "$classes${File.pathSeparator}${System.getProperty("java.class.path")}", main,
            ).directory(bench.folder.toFile()).redirectErrorStream(true).start()
        bench.ending { child.destroyForcibly() }
        val said = child.inputStream.readAllBytes().decodeToString().trim()
        assertTrue(child.waitFor(PATIENCE.toLong(), TimeUnit.MILLISECONDS), said)
        assertEquals(0, child.exitValue(), said)
        return said
    }

    private fun java(bench: Bench, text: String): Path {
        val source = bench.folder.resolve("Sample.java").also { Files.writeString(it, text) }
        val classes = Files.createDirectory(bench.folder.resolve("compiled"))
        val said = java.io.ByteArrayOutputStream()
        val arguments = arrayOf("-Xlint:all", "-Xlint:-processing", "-Werror", "-proc:none", "-d", "$classes", "-cp", System.getProperty("java.class.path"), "$source")
        val status = ToolProvider.getSystemJavaCompiler().run(null, said, said, *arguments)
        assertEquals(0, status, "$said")
        return classes
    }

    private fun kotlin(bench: Bench, text: String): Path {
        val source = bench.folder.resolve("Sample.kt").also { Files.writeString(it, text) }
        val classes = Files.createDirectory(bench.folder.resolve("compiled"))
        val said = java.io.ByteArrayOutputStream()
        val path = System.getProperty("java.class.path")
        val status = K2JVMCompiler().exec(java.io.PrintStream(said), "-Werror", "-no-stdlib", "-no-reflect", "-jvm-target", "17", "-d", "$classes", "-cp", path, "$source")
        assertEquals(ExitCode.OK, status, "$said")
        return classes
    }

    @Test
    fun `the codes that are named exist`() {
        val known = HubTls.errorCodes().map { it.code }
        val named = Regex("`([A-Z]+(?:_[A-Z0-9]+)+)`").findAll(page).map { it.groupValues[1] }.toSet()
        assertTrue(named.size >= 2)
        assertEquals(emptySet<String>(), named - known.toSet())
    }

    @Test
    fun `the options are those of the builder`() {
        val table = page.substringAfter("| option | what").substringBefore("| policy | stands")
        val told = table.lines().flatMap { Regex("`(\\w+)`").findAll(it.split("|").getOrElse(1) { "" }).map { found -> found.groupValues[1] } }.toSet()
        val there = ConfigBuilder::class.java.declaredMethods.filter { java.lang.reflect.Modifier.isPublic(it.modifiers) }.map { it.name }.toSet() - "build"
        assertEquals(there, told)
    }

    @Test
    fun `the policies are those of the table`() {
        val rows = Regex("^\\| `(iothub[\\w-]*)` \\| `([\\w-]+)` \\|", RegexOption.MULTILINE).findAll(page).associate { it.groupValues[1] to it.groupValues[2] }
        assertEquals(Policy.aliases(), rows)
    }

    private companion object {
        const val TELEMETRY = "{\"temperature\":21.5}"

        /** What speaks to the hardware. */
        const val TOKEN = """
object Token {
    fun sign(scheme: String, content: ByteArray): ByteArray {
        check(scheme == "ecdsa_secp256r1_sha256")
        val pem = java.io.File("device.key").readText().lines().filterNot { it.startsWith("-") }.joinToString("")
        val der = java.security.spec.PKCS8EncodedKeySpec(java.util.Base64.getDecoder().decode(pem))
        val signature = java.security.Signature.getInstance("SHA256withECDSA")
        signature.initSign(java.security.KeyFactory.getInstance("EC").generatePrivate(der))
        signature.update(content)
        return signature.sign()
    }
}
"""
    }
}
