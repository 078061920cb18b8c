//! How much a stranger may ask of the server before anybody knows who it is.

use std::time::Duration;

/// Limits of the HTTP side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes. GitHub sends at most 25 MB and drops what is larger.
    /// Source: GitHub's documentation, "Webhook events and payloads", section "Payload cap".
    pub body: usize,
    /// Bytes of bodies that may be under way at once, over all connections.
    pub bodies: usize,
    /// Of those, to any one address (IPv6: to a /64): whoever has them is one sender, or a proxy.
    pub bodies_of_one: usize,
    /// Connections at once; more have to wait to be accepted.
    pub connections: usize,
    /// Of those, from any one address; more are closed.
    pub connections_of_one: usize,
    /// Longest that a request's headers may take, and longest that a connection may be idle.
    pub headers: Duration,
    /// Longest that an answer may wait until its peer takes the next piece of it.
    pub answer: Duration,
    /// Longest that a body may take. GitHub gives up after 10 seconds.
    pub body_time: Duration,
    /// From when on a body must come at [`Limits::rate`].
    pub grace: Duration,
    /// Fewest bytes of a body per second, over all of its time but the first [`Limits::grace`].
    pub rate: u64,
    /// Deliveries that may wait to be made durable; beyond that the answer is 503.
    pub queue: usize,
    /// Most deliveries that are made durable by one commit.
    pub batch: usize,
    /// Longest that a stop waits for requests that are under way.
    pub drain: Duration,
}

impl Limits {
    /// Largest body that can be configured.
    pub const LARGEST_BODY: usize = 100 << 20;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 25 << 20,
            bodies: 128 << 20,
            bodies_of_one: 64 << 20,
            connections: 1024,
            connections_of_one: 256,
            headers: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            grace: Duration::from_secs(3),
            rate: 128 << 10,
            queue: 4096,
            batch: 256,
            drain: Duration::from_secs(20),
        }
    }
}
