//! The technique stands on details of one rustls release.

const PROVEN_WITH: &str = "0.23.46";

#[test]
fn the_technique_is_proven_with_the_rustls_that_is_locked() {
    let lock = include_str!("../../../Cargo.lock");
    let versions: Vec<_> = lock
        .split("[[package]]")
        .filter(|package| package.contains("\nname = \"rustls\"\n"))
        .filter_map(|package| package.split("version = \"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(
        versions,
        [PROVEN_WITH],
        "the fragment length is negotiated behind the back of rustls and was proven with {PROVEN_WITH} alone. Before the pin moves: run \
         `tests/run fragment fuzz` and `cargo test -p hubtls fragment` with the new release, read how it treats extensions 1 and 13 in \
         ServerHello and EncryptedExtensions, and only then change the version here"
    );
}

#[test]
fn the_manifest_pins_that_release_exactly() {
    let manifest = include_str!("../../../Cargo.toml");
    let pinned = format!("\nrustls = {{ version = \"={PROVEN_WITH}\"");
    assert!(
        manifest.contains(&pinned),
        "rustls must be pinned to ={PROVEN_WITH}, exactly"
    );
}
