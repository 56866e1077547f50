//! A buffer for the bytes of one connection that are not a complete frame yet.

/// A buffer that is filled by reads of any size and emptied by frames.
///
/// Its owner takes every complete frame before it feeds more, so it holds at most one incomplete frame and what came in
/// the same read behind it. An empty one holds no memory: there are thousands of idle connections.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// How many bytes at the front were taken already.
    used: usize,
}

impl Inbox {
    /// Appends what arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// What was fed and not taken.
    pub(super) fn peek(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// The memory it has, in bytes, after giving back what it does not need for the incomplete frame it holds.
    pub(super) fn settle(&mut self) -> usize {
        if self.used > 0 || self.bytes.capacity() > 2 * self.bytes.len() {
            self.feed(&[]);
            self.bytes.shrink_to_fit();
        }
        self.bytes.capacity()
    }

    /// Takes the next `count` bytes, if all of them have arrived.
    pub(super) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let frame = self.peek().get(..count)?.to_vec();
        self.used += count;
        if self.used == self.bytes.len() {
            *self = Self::default();
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::for_any;

    #[test]
    fn what_is_fed_comes_out_in_order_whatever_the_sizes() {
        for_any(|pieces: Vec<(Vec<u8>, u8)>| {
            let mut inbox = Inbox::default();
            let (mut fed, mut taken) = (Vec::new(), Vec::new());
            for (piece, count) in pieces {
                inbox.feed(&piece);
                fed.extend(piece);
                assert_eq!(inbox.peek(), &fed[taken.len()..]);
                if let Some(frame) = inbox.take(count.into()) {
                    assert_eq!(frame.len(), usize::from(count));
                    taken.extend(frame);
                } else {
                    assert!(fed.len() - taken.len() < usize::from(count));
                }
                assert_eq!(inbox.peek(), &fed[taken.len()..]);
            }
            assert_eq!(taken, fed[..taken.len()]);
        });
    }

    #[test]
    fn an_empty_inbox_holds_no_memory_and_a_busy_one_forgets_what_was_taken() {
        let mut inbox = Inbox::default();
        inbox.feed(&[0; 1000]);
        assert_eq!(inbox.take(1000).map(|frame| frame.len()), Some(1000));
        assert_eq!(inbox.bytes.capacity(), 0);
        for _ in 0..1000 {
            inbox.feed(&[0; 1000]);
            assert!(inbox.take(999).is_some());
        }
        assert_eq!(inbox.peek().len(), 1000);
        let all = inbox.peek().to_vec();
        assert_eq!((inbox.settle(), inbox.peek()), (1000, &all[..]));
        assert!(inbox.bytes.capacity() < 10_000, "{} bytes held for 1000", inbox.bytes.capacity());
    }
}
