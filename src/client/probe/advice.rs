//! What an Operator can do about a failed step.

use crate::client::{Error, Service};
use std::io::ErrorKind;

/// What to check or do. One or two sentences.
pub(super) fn about(error: &Error) -> String {
    match error {
        Error::Unresolved { .. } => {
            "Check how the name is spelled, or give the server's IP address instead.".to_owned()
        }
        Error::Unreachable { peer, .. } if peer.port() == 0 => {
            "The configuration lets the system choose this port (0), so the game cannot know it: give it a number.".to_owned()
        }
        Error::Unreachable { peer, why } if why.kind() == ErrorKind::ConnectionRefused => match peer.service() {
            Service::Web => format!(
                "Is mcos running there? Its start prints a line \"listening http ...\". If it says another port than {}, \
                 probe HOST:PORT.",
                peer.port()
            ),
            service => format!(
                "Look at the lines \"listening ...\" that mcos prints at its start: is {service} among them, and on port \
                 {}? The shard list and mcos.toml must name the same port.",
                peer.port()
            ),
        },
        Error::Unreachable { peer, why } if why.kind() == ErrorKind::TimedOut => format!(
            "Check that {} is the right address and switched on, and that no firewall or router in between blocks TCP \
             port {}.",
            peer.host(),
            peer.port()
        ),
        Error::Unreachable { peer, .. } => {
            format!("Check the network between here and {}; port {} must be open.", peer.host(), peer.port())
        }
        Error::WrongPassword { .. } => {
            "Check name and password. On the server \"mcos account list\" shows the accounts and \"mcos account passwd \
             NAME\" sets a new password; a disabled account needs \"mcos account enable NAME\"."
                .to_owned()
        }
        Error::Refused { peer, .. } => match peer.service() {
            Service::Login => format!(
                "The server at {} port {} can't open the Session Key: the key that /key serves, and so every pub.key made \
                 from it, belongs to another server. Check where the shard list sends Clients (public_host in mcos.toml).",
                peer.host(),
                peer.port()
            ),
            Service::Lobby | Service::Room => "The server does not know this login or this persona. Do the addresses in \
                the shard list all lead to the same server?"
                .to_owned(),
            _ => "Look at the server's log: it says why.".to_owned(),
        },
        Error::Closed { .. } | Error::Lost { .. } => {
            "Look at the server's log: it says why it closed the connection.".to_owned()
        }
        Error::Silence { peer, .. } => format!(
            "Something accepts connections on port {} but does not answer as mcos does. Is it another program? If it is \
             mcos, look at its log.",
            peer.port()
        ),
        Error::PublicKey { .. } => {
            "Clients can't log in without a pub.key of this server. Restart it; it makes a key if it has none.".to_owned()
        }
        Error::Web { .. } => "Is it mcos that answers there, or another web server or proxy?".to_owned(),
        Error::ShardList(_) => {
            "Is it mcos that answers there? Its shard list is made from [shard] and [network] in mcos.toml.".to_owned()
        }
        Error::TooLong(_) | Error::Unsendable(_) => {
            "This is a fault of mcos itself: please report it with this line.".to_owned()
        }
        Error::Broken { .. } | Error::Malformed { .. } | Error::Contradiction { .. } => {
            "The game would fail here too. If the server is mcos, please report this line.".to_owned()
        }
    }
}
