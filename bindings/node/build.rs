//! Lets the library find the functions of Node.js.

fn main() {
    napi_build::setup();
}
