//! Writes the Kotlin and Swift that call the library, from the library itself: uniffi's own command at the version that the workspace pins.

fn main() {
    uniffi::uniffi_bindgen_main();
}
