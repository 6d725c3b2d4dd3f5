//! Refuses a Python without the global interpreter lock: nothing here was tested with one.

fn main() {
    let config = pyo3_build_config::get();
    let flag = pyo3_build_config::BuildFlag::Py_GIL_DISABLED;
    assert!(
        !config.build_flags().0.contains(&flag),
        "hubtls was not tested with a free-threaded Python: install it for one that has the global interpreter lock"
    );
}
