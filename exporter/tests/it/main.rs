//! The library with real sockets on loopback, and hostile peers written in bytes.

mod config;
