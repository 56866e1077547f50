//! mcos.toml
