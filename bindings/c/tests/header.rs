//! `include/hubtls.h` is what the code says. `HUBTLS_BLESS=1 cargo test -p hubtls-c` rewrites it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use hubtls::ErrorCode;

/// What stands before the first declaration; the list of codes follows.
const HEAD: &str = include_str!("../src/head.h");

#[test]
fn the_header_is_current() {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = crate_directory.join("../../include/hubtls.h");
    let expected = header(crate_directory);
    if std::env::var_os("HUBTLS_BLESS").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "include/hubtls.h is not what the code says: if the change is meant, run HUBTLS_BLESS=1 cargo test -p hubtls-c"
    );
}

fn header(crate_directory: &Path) -> String {
    let mut config =
        cbindgen::Config::from_file(crate_directory.join("cbindgen.toml")).expect("cbindgen.toml");
    config.header = Some(
        "/* hubtls: TLS as Azure IoT Hub demands it. Generated: HUBTLS_BLESS=1 cargo test -p hubtls-c */".into(),
    );
    config.after_includes = Some(head());
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_crate(crate_directory)
        .with_config(config)
        .generate()
        .expect("the crate is readable")
        .write(&mut text);
    let text = String::from_utf8(text).expect("C is text");
    // One condition around neighbours, not one around each.
    text.replace("#endif\n\n#if defined(HUBTLS_ENGINE)\n", "\n")
}

fn head() -> String {
    let numbers: Vec<_> = hubtls::VERSION.split('.').collect();
    let mut head = HEAD.replace("@VERSION@", hubtls::VERSION);
    for (name, number) in ["@MAJOR@", "@MINOR@", "@PATCH@"].iter().zip(numbers) {
        head = head.replace(name, number);
    }
    let mut codes = String::new();
    for code in ErrorCode::ALL {
        writeln!(codes, "  HUBTLS_ERROR_{} = {},", code.name(), code.number())
            .expect("a string takes all");
    }
    head.replace("@CODES@\n", &codes)
}
