//! What may wait or read files: accounts as people make them, the player kit, the acts of the Server Operator, status and health.
//!
//! | file | what |
//! |---|---|
//! | [`account`] | accounts made and changed by their owners |
//! | [`requests`] | what the command line and the operator's pages ask for |
//! | [`live`] | the same, of a server that runs |
//! | [`online`] | who is on line |
//! | [`status`] | the words of the status line and of `status.txt` |
//! | [`health`] | what is wrong, and what may be regretted |
//! | [`kit`] | the player kit |

pub mod account;
pub mod health;
pub mod kit;
pub mod live;
pub mod online;
pub mod requests;
pub mod status;
