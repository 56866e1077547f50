//! The bytes of one connection that have arrived but are not a whole frame yet.

/// Collects what arrives and gives it out in whole frames.
///
/// It holds at most one incomplete frame and what came in the same read behind it, and lets go of its memory when it
/// runs empty: thousands of idle connections must cost next to nothing.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// Bytes at the front that were given out already.
    used: usize,
}

impl Inbox {
    /// Appends what arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// What has arrived and not been taken.
    pub(super) fn peek(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// The next `count` bytes, if all of them have arrived.
    pub(super) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let frame = self.peek().get(..count)?.to_vec();
        self.used += count;
        if self.used == self.bytes.len() {
            *self = Self::default();
        }
        Some(frame)
    }
}
