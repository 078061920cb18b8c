//! `cargo xtask soak`
pub fn soak(_: &[&str]) -> Result<String, String> {
    Err("x".to_owned())
}
