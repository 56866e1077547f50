//! Answers that are a number and nothing else.

use super::id;
use super::packet::Packet;

/// The greeting of 7003, never of a room port (*captured*): without it a Client waits for ever.
pub const OK_TO_LOGIN: Packet = Packet::bare(id::OK_TO_LOGIN);
/// The refusal of a login (*seen in use*): unknown persona, no session, wrong proof.
pub const INVALID_KEY: Packet = Packet::bare(id::INVALID_KEY);

/// The User is sent away: the persona is played on another PC now. Header only; the name of the number is *documented*, that it comes
/// without a body is *inferred*.
pub const FORCE_LOGOFF: Packet = Packet::bare(id::FORCE_LOGOFF);

/// A refused login, and a request on 8228 of somebody who is not signed in: header only (*documented*; no recorded server ever refused).
pub const REFUSED: Packet = Packet::bare(id::USER_INVALID);

/// A login refused because the account is banned: header only (the name of the number is *documented*; that it comes
/// without a body and twice, as [`REFUSED`] does, is *inferred*).
pub const BANNED: Packet = Packet::bare(id::USER_BANNED);
