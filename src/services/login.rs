//! Login, port 8226. See `docs/protocol/login-persona-mail.md`.

use super::{Game, Hex, Outcome};
use crate::protocol::ids::CustomerId;
use crate::protocol::nps::login::{REFUSED, UserLogin, UserStatus};
use crate::protocol::nps::{Message, Packet, id};
use crate::protocol::session_key::SessionKey;
use std::net::IpAddr;

/// What happens on a message to port 8226.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet) -> Outcome<Packet> {
    match packet.id {
        id::USER_LOGIN => user_login(game, peer, packet),
        _ => {
            let (id, name, length) = (packet.id, id::name(packet.id), packet.size());
            log::info!("login: {peer} sent 0x{id:04x} ({name}, {length} bytes): {}", Hex(&packet.body));
            Outcome::reply(Packet::bare(id::ACK))
        }
    }
}

/// 0x0501: Context and Session Key. Accepted or refused, the answer goes out twice: the debug build of the Client
/// reads two (*captured*).
fn user_login(game: &Game, peer: IpAddr, packet: &Packet) -> Outcome<Packet> {
    let answer = match packet.read::<UserLogin>() {
        Ok(login) => match admitted(game, &login) {
            Some((customer, key)) => {
                log::info!("login: customer {customer} from {peer}");
                let status = accepted(customer, &key);
                game.world.sessions.begin(customer, key, peer);
                status
            }
            None => {
                log::info!("login: refused {peer}: no valid ticket, or its pub.key is not this server's");
                REFUSED
            }
        },
        Err(error) => {
            // No hexadecimal digits here: the bytes hold a Context.
            log::info!("login: refused {peer}: 0x0501 of {} bytes {error}", packet.size());
            REFUSED
        }
    };
    Outcome::replies([answer.clone(), answer])
}

/// Both halves are always judged, so that neither answer nor time tell which one was wrong.
fn admitted(game: &Game, login: &UserLogin) -> Option<(CustomerId, SessionKey)> {
    let customer = game.world.sessions.redeem(&login.context.to_string()).filter(|customer| enabled(game, *customer));
    let key = game.login_key().open(login.key_block.as_bytes());
    Some((customer?, key.ok()?))
}

fn enabled(game: &Game, customer: CustomerId) -> bool {
    match game.store.accounts().by_customer(customer) {
        Ok(account) => account.is_some_and(|account| !account.disabled),
        Err(error) => {
            log::error!("login: cannot read the account of customer {customer}: {error}");
            false
        }
    }
}

fn accepted(customer: CustomerId, key: &SessionKey) -> Packet {
    let status = UserStatus {
        customer,
        persona_slot: 0,
        cache_hit: Default::default(),
        banned: Default::default(),
        gagged: Default::default(),
        key_echo: key.echo(),
        reserved: [0; 3],
    };
    status.packet()
}
