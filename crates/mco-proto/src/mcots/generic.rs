//! The two records that most of MCOTS is made of; which message they are is said by the number they ride behind.

use super::message::Number;
use crate::layout;

layout! {
    /// 10 bytes with the number (*captured*: every "get" request). What the numbers mean depends on the request.
    pub struct GenericRequest {
        /// Usually the id of what is asked for.
        pub data: u32,
        /// 0 if not used.
        pub data2: u32,
    }

    /// 16 bytes with the number (*seen in use*; the 114 bytes once captured were these and zeros).
    pub struct GenericReply {
        /// Number of the request that is answered.
        pub request: Number,
        /// Why, if the request is refused: one of the reason codes in [`number`](super::number), or 0.
        pub result: u32,
        /// Depends on the request; usually 0.
        pub data: u32,
        /// Depends on the request; usually 0.
        pub data2: u32,
    }
}
