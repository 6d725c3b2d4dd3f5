package org.hubtls

import com.sun.jna.NativeLibrary
import com.sun.jna.Platform
import java.util.Properties

/** The library of Rust, which lies in the jar. */
internal object Library {
    private const val NAME = "hubtls_uniffi"

    /** What JNA finds it by: its name, or the file that uniffi's own property gives. */
    val name: String get() = System.getProperty("uniffi.component.$NAME.libraryOverride") ?: NAME

    /** The version of this package. */
    val version: String by lazy {
        val properties = Properties()
        Library::class.java.getResourceAsStream("hubtls.properties").use { properties.load(it) }
        properties.getProperty("version")
    }

    @Volatile
    private var loaded = false

    /** Loads it, once: [UnsatisfiedLinkError] says what is missing. */
    fun load() {
        if (loaded) return
        synchronized(this) {
            if (loaded) return
            open()
            loaded = true
        }
    }

    private fun open() {
        val library =
            try {
                // By this class's loader, as the classes of org.hubtls.ffi do it: the thread's may not know the jar, and JNA would load it a second time.
                NativeLibrary.getInstance(name, Library::class.java.classLoader)
            } catch (error: LinkageError) {
                throw unloadable(error)
            }
        // Before any class of org.hubtls.ffi: those fail for good if it is another version's.
        val found =
            try {
                library.getFunction("hubtls_jni_register")
                org.hubtls.ffi.version()
            } catch (error: Throwable) {
                throw unfit("its functions are others: ${error.message}", library, error)
            }
        if (found != version) throw unfit("that one is $found", library, null)
    }

    private fun unloadable(error: LinkageError): UnsatisfiedLinkError {
        val folder = System.getProperty("jna.tmpdir") ?: "JNA's folder for it (in Linux ~/.cache/JNA/temp)"
        val file = "${Platform.RESOURCE_PREFIX}/${System.mapLibraryName(NAME)}"
        val inside = Library::class.java.classLoader?.getResource(file) != null
        val why =
            if (inside) {
                "$file of the jar could not be loaded from $folder: if programs may not be run from there (a mount with noexec), or it cannot " +
                    "be written, give another folder with -Djna.tmpdir=FOLDER"
            } else {
                "the jar has no library for ${Platform.RESOURCE_PREFIX}: build one with bindings/uniffi/kotlin/library, and give its folder with " +
                    "-Djna.library.path=FOLDER"
            }
        return failure("hubtls $version: $why", error)
    }

    private fun unfit(why: String, library: NativeLibrary, error: Throwable?): UnsatisfiedLinkError =
        failure(
            "hubtls $version needs its own library, and $why (${library.file}): remove older jars from the class path, and older libraries from " +
                "jna.library.path",
            error,
        )

    private fun failure(text: String, cause: Throwable?) = UnsatisfiedLinkError(text).apply { if (cause != null) initCause(cause) }
}
