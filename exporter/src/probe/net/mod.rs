//! Names to addresses, and connections: shared by the probers that connect somewhere.
//!
//! Not for what is said over a connection, and not for the `dns` prober's own queries: that one
//! measures a name server, this uses one.

mod choice;
mod connect;
mod resolver;
mod unix;

pub use choice::{IpChoice, source_ip_address};
pub use connect::{connect, no_source};
pub use resolver::Resolver;
pub use unix::UnixSocket;
