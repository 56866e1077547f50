//! Pages and files for people: from a request value to an answer value, without sockets.

pub mod operator;
