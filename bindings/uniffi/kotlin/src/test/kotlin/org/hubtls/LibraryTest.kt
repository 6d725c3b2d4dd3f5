package org.hubtls

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.spi.ToolProvider
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

/** The library of Rust is loaded from the class path, and what is wrong with it is said; in Javas of their own, which load it once. */
class LibraryTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private val classPath = System.getProperty("java.class.path").split(File.pathSeparator).map(Path::of)
    private val classes = classPath.first { Files.exists(it.resolve("org/hubtls/hubtls.properties")) }

    /** What a program says that asks for the version, with this folder in the place of the package's own. */
    private fun said(own: Path, vararg options: String): String {
        val path = classPath.joinToString(File.pathSeparator) { "${if (it == classes) own else it}" }
        val child = ProcessBuilder("${System.getProperty("java.home")}/bin/java", *options, "-cp", path, "org.hubtls.SayVersion").redirectErrorStream(true).start()
        val text = child.inputStream.readAllBytes().decodeToString()
        child.waitFor(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        return text.trim()
    }

    private fun copied() = bench.folder.resolve("classes").also { classes.toFile().copyRecursively(it.toFile()) }

    private fun assertSays(text: String, vararg words: String) = words.forEach { assertTrue(it in text, text) }

    @Test
    fun `it is loaded from the class path`() = assertSays(said(classes), "version 0.1.0")

    @Test
    fun `it is loaded once, whatever loader the thread has`() {
        val jar = bench.folder.resolve("hubtls.jar")
        ToolProvider.findFirst("jar").get().run(System.out, System.err, "-c", "-f", "$jar", "-C", "$classes", ".")
        val path = classPath.map { if (it == classes) jar else it }
        val (all, others) = listOf(path, path - jar).map { it.joinToString(File.pathSeparator) }
        val child = ProcessBuilder("${System.getProperty("java.home")}/bin/java", "-Dpath=$all", "-cp", others, "org.hubtls.LoadApart")
        assertSays(child.redirectErrorStream(true).start().inputStream.readAllBytes().decodeToString(), "version 0.1.0, loaded 1")
    }

    @Test
    fun `a platform without a library is named`() {
        val own = copied()
        Files.list(own).use { all -> all.filter { "$it".contains("x86-64") || "$it".contains("aarch64") }.forEach { it.toFile().deleteRecursively() } }
        assertSays(said(own), "UnsatisfiedLinkError: hubtls 0.1.0: the jar has no library for ${com.sun.jna.Platform.RESOURCE_PREFIX}", "jna.library.path")
    }

    @Test
    fun `a library of another version is named`() {
        val own = copied()
        Files.writeString(own.resolve("org/hubtls/hubtls.properties"), "version=9.9.9")
        assertSays(said(own), "UnsatisfiedLinkError: hubtls 9.9.9 needs its own library, and that one is 0.1.0 (", "libhubtls_uniffi.so")
    }

    @Test
    fun `a library with other functions is named`() {
        val source = bench.folder.resolve("other.c").also { Files.writeString(it, "int other(void) { return 0; }\n") }
        val other = Files.createDirectory(bench.folder.resolve("other")).resolve("libhubtls_uniffi.so")
        check(ProcessBuilder("cc", "-shared", "-o", "$other", "$source").inheritIO().start().waitFor() == 0)
        assertSays(said(classes, "-Djna.library.path=${other.parent}"), "UnsatisfiedLinkError: hubtls 0.1.0 needs its own library", "its functions are others", "$other")
    }

    @Test
    fun `a temporary folder from which nothing may be run is named`() {
        // JNA's own library lies elsewhere, as where a system has it installed.
        val noexec = Files.createDirectory(bench.folder.resolve("noexec"))
        val elsewhere = Files.createDirectory(bench.folder.resolve("elsewhere"))
        com.sun.jna.Native::class.java.getResourceAsStream("/com/sun/jna/${com.sun.jna.Platform.RESOURCE_PREFIX}/libjnidispatch.so")!!.use {
            Files.copy(it, elsewhere.resolve("libjnidispatch.so"))
        }
        val java = "exec '${System.getProperty("java.home")}/bin/java'"
        // What lies in a folder would be loaded from there.
        val jar = bench.folder.resolve("hubtls.jar")
        ToolProvider.findFirst("jar").get().run(System.out, System.err, "-c", "-f", "$jar", "-C", "$classes", ".")
        val path = classPath.joinToString(File.pathSeparator) { "${if (it == classes) jar else it}" }
        val command =
            "mount -t tmpfs -o noexec none '$noexec' && $java -Djna.tmpdir='$noexec' %s -cp '$path' org.hubtls.SayVersion"
        for (option in listOf("", "-Djna.boot.library.path='$elsewhere'")) {
            val child = ProcessBuilder("unshare", "--mount", "sh", "-c", command.format(option)).redirectErrorStream(true).start()
            val text = child.inputStream.readAllBytes().decodeToString()
            assertSays(text, "UnsatisfiedLinkError: hubtls 0.1.0: ", "could not be loaded from $noexec", "noexec", "-Djna.tmpdir=")
        }
    }
}

/** Run by a test above: the package has a loader of its own, which the thread does not know. */
object LoadApart {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val path = System.getProperty("path").split(File.pathSeparator).map { Path.of(it).toUri().toURL() }.toTypedArray()
        Thread.currentThread().contextClassLoader = ClassLoader.getPlatformClassLoader()
        val loader = java.net.URLClassLoader(path, ClassLoader.getPlatformClassLoader())
        val version = loader.loadClass("org.hubtls.HubTls").getMethod("version").invoke(null)
        // JNA's own library is small.
        val maps = Files.readAllLines(Path.of("/proc/self/maps")).filter { " r-xp " in it && "/jna" in it }
        val large = maps.count { line -> line.substringBefore(' ').split('-').let { (from, to) -> to.toLong(16) - from.toLong(16) > 1_000_000 } }
        println("version $version, loaded $large")
    }
}

/** Run by the tests above. */
object SayVersion {
    @JvmStatic
    fun main(arguments: Array<String>) {
        repeat(2) { first ->
            try {
                println("version ${HubTls.version()}")
                return
            } catch (error: UnsatisfiedLinkError) {
                // The same again, the second time.
                if (first == 1) println(error)
            }
        }
    }
}
