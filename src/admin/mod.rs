//! Administration: everything above the services that may block or read files.
//!
//! | file | what |
//! |---|---|
//! | [`account`] | accounts made and changed by their owners |
//! | [`calendar`] | what time brings: weeks that are over, race nights and deals that end |
//! | [`city`] | race nights, seasons, clubs and deals as the operator changes them |
//! | [`requests`] | what the command line and the operator's pages can ask for |
//! | [`mod@perform`] | does it, on the store alone or on a running server |
//! | [`error`] | why it was not done |
//! | [`exchange`] | files by which commands and the server exchange a backup |
//! | [`expel`] | ends what goes on under an account |
//! | [`lists`] | accounts, personas and bans in lists |
//! | [`online`] | who is online |
//! | [`status`] | the status line and `status.txt` |
//! | [`health`] | what is wrong, and what the Server Operator may regret later |
//! | [`history`] | the last day and the last month in numbers |
//! | [`machine`] | heat, power and wear of the board |
//! | [`settings`] | `mcos.toml` changed from a page |
//! | [`power`] | a box that is switched off |
//! | [`kit`] | the player kit |
//! | [`radio`] | the Wi-Fi of a box |
//! | [`recordings`] | recordings that are switched on and off while the server runs |

pub mod account;
pub mod calendar;
pub mod city;
pub mod error;
pub mod exchange;
pub mod expel;
pub mod health;
pub mod history;
pub mod kit;
pub mod ledger_words;
pub mod lists;
pub mod machine;
pub mod online;
pub mod perform;
pub mod power;
pub mod radio;
pub mod recordings;
pub mod requests;
pub mod settings;
pub mod status;
