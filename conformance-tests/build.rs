//! Tells the program what it was built with and for.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").expect("cargo says which compiler it uses");
    let version = Command::new(rustc).arg("--version").output().expect("the compiler knows its version");
    let version = String::from_utf8_lossy(&version.stdout);
    println!("cargo::rustc-env=CONFORMANCE_RUSTC={}", version.trim().trim_start_matches("rustc "));
    println!("cargo::rustc-env=CONFORMANCE_TARGET={}", env::var("TARGET").expect("cargo says what it builds for"));
    println!("cargo::rerun-if-changed=build.rs");
}
