//! A byte queue between the two sides of a connection.

/// Bytes that are appended at the end and taken from the front.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    taken: usize,
}

impl Queue {
    /// The vector to append to.
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// All bytes that were not taken yet.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Removes the first `count` bytes. An empty queue holds no memory: most connections are idle most of the time.
    pub(super) fn advance(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
        if self.taken == self.bytes.len() {
            *self = Self::default();
        }
    }
}
