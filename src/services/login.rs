//! Login, port 8226. See `docs/protocol/login-persona-mail.md`.

use super::dispatch::{Call, Peer, Refusal, Service, rows};
use super::{Game, Listed, Outcome, bans};
use crate::clock::Now;
use crate::world::{SESSIONS_PER_CUSTOMER, SignInStep};
use mco_proto::bytes::Bool8;
use mco_proto::ids::CustomerId;
use mco_proto::nps::bare::{BANNED, REFUSED};
use mco_proto::nps::login::{UserLogin, UserStatus};
use mco_proto::nps::{Message, Packet, id};
use mco_proto::session_key::SessionKey;
use std::net::IpAddr;

/// What happens on which message to port 8226.
static SERVICE: Service<Peer<8226>, Packet, Packet> = Service {
    name: |_| "login",
    rows: rows! {
        USER_LOGIN: Anyone, Expected => user_login;
    },
    refuse,
};

type Handler<'a> = Call<'a, Peer<8226>, Packet>;

/// Under what failures are counted that have no valid Context.
const NOBODY: &str = "";

/// What happens on a message to port 8226.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet, now: Now) -> Outcome<Packet> {
    SERVICE.answer(Call { game, caller: &mut Peer(peer), message: packet, now })
}

/// The rows of port 8226.
pub fn listed() -> Vec<Listed> {
    SERVICE.listed()
}

/// A login that cannot be read counts as one that failed. Everything else is acknowledged.
fn refuse(call: &Handler<'_>, _: &Refusal) -> Outcome<Packet> {
    if call.message.id != id::USER_LOGIN {
        return Outcome::reply(Packet::bare(id::ACK));
    }
    let _ = call.game.world.login_failures.admit(call.caller.0, NOBODY, call.now);
    call.refused()
}

impl Handler<'_> {
    /// 0x0501: Context and Session Key. Accepted or refused, the answer goes out twice: the debug build of the Client
    /// reads two (*captured*).
    fn user_login(&mut self, login: &UserLogin) -> Outcome<Packet> {
        let Call { game, now, caller: &mut Peer(peer), .. } = *self;
        let whose = game.world.sessions.redeem(&login.context.to_string(), now);
        let name = whose.map_or_else(|| NOBODY.to_owned(), |customer| customer.to_string());
        if !game.world.login_failures.admit(peer, &name, now) {
            log::info!("login: refused {peer}: too many failed logins from this address within a minute");
            return self.refused();
        }
        let Some((customer, key)) = admitted(game, whose, login) else {
            log::info!("login: refused {peer}: no valid ticket, or its pub.key is not this server's");
            return self.refused();
        };
        game.world.login_failures.forgive(peer, &name);
        if bans::of_account(&game.store, customer, now).is_some() {
            log::info!("login: refused {peer}: customer {customer} is banned");
            game.world.sign_in_trace.refused(peer, SignInStep::Login, now);
            return Outcome::replies([BANNED, BANNED]);
        }
        let status = accepted(customer, &key);
        let played = game.world.presence.sessions();
        if game.world.sessions.begin(customer, key, peer, &played, now).is_err() {
            log::info!(
                "login: refused {peer}: customer {customer} plays on {SESSIONS_PER_CUSTOMER} PCs already"
            );
            return self.refused();
        }
        log::info!("login: customer {customer} from {peer}");
        game.world.sign_in_trace.passed(peer, SignInStep::Login, now);
        Outcome::replies([status.clone(), status])
    }

    fn refused(&self) -> Outcome<Packet> {
        self.game.world.sign_in_trace.refused(self.caller.0, SignInStep::Login, self.now);
        Outcome::replies([REFUSED, REFUSED])
    }
}

/// Both halves are always judged, so that neither answer nor time tell which one was wrong.
fn admitted(game: &Game, whose: Option<CustomerId>, login: &UserLogin) -> Option<(CustomerId, SessionKey)> {
    let customer = whose.filter(|customer| enabled(game, *customer));
    let key = game.login_key().decrypt(login.key_block.as_bytes());
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
        cache_hit: Bool8(false),
        banned: Bool8(false),
        gagged: Bool8(false),
        key_echo: key.echo(),
        reserved: [0; 3],
    };
    status.packet()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::TestPlayer;
    use mco_proto::nps::Form;
    use mco_proto::nps::Id;
    use mco_proto::session_key::PublicLoginKey;
    use mco_proto::text::Str16;
    use std::net::Ipv4Addr;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

    fn request(game: &Game, context: &str, key: &SessionKey) -> UserLogin {
        let public = PublicLoginKey::from_hex(&game.login_key().public_hex().unwrap()).unwrap();
        UserLogin::new(Str16::new(context).unwrap(), Str16::new(&public.encrypt(key).unwrap()).unwrap())
    }

    fn shard() -> (Game, tempfile::TempDir, TestPlayer) {
        let (game, folder) = Game::for_tests();
        let player = game.player("doc", "Dr Brown", PEER);
        (game, folder, player)
    }

    #[test]
    fn a_valid_context_is_answered_twice_and_its_key_shared_with_the_other_services() {
        let (game, _folder, player) = shard();
        let context = game.world.sessions.issue_context(player.customer, Now::read());
        let key = SessionKey::random();
        let outcome = answer(&game, PEER, &request(&game, &context, &key).packet(), Now::read());
        assert_eq!(outcome.replies.len(), 2);
        assert_eq!(outcome.replies[0], outcome.replies[1]);
        assert_eq!(outcome.replies[0].size(), 38);
        let status: UserStatus = outcome.replies[0].read().unwrap();
        assert_eq!(status.customer, player.customer);
        assert_eq!(status.key_echo, key.echo());
        assert!(game.world.sessions.at(player.customer, PEER, Now::read())[0].key == key);
    }

    #[test]
    fn whatever_is_wrong_with_a_login_the_refusal_is_the_same_and_the_old_key_stays() {
        let (game, _folder, player) = shard();
        let context = game.world.sessions.issue_context(player.customer, Now::read());
        let good = request(&game, &context, &SessionKey::random());
        let cases = [
            UserLogin { context: Str16::constant(b"0123456789abcdef0123456789abcdef"), ..good.clone() }
                .packet(),
            UserLogin { key_block: Str16::new(&"A1".repeat(128)).unwrap(), ..good.clone() }.packet(),
            UserLogin { key_block: Str16::constant(b"not hexadecimal"), ..good.clone() }.packet(),
            Packet { body: good.packet().body[..40].to_vec(), ..good.packet() },
            Packet { body: vec![0xff; 300], ..good.packet() },
            Packet { body: Vec::new(), ..good.packet() },
        ];
        for packet in cases {
            assert_eq!(answer(&game, PEER, &packet, Now::read()).replies, [REFUSED, REFUSED]);
        }
        let sessions = game.world.sessions.at(player.customer, PEER, Now::read());
        assert!(sessions.len() == 1 && sessions[0].key == player.key);
    }

    #[test]
    fn a_disabled_account_is_refused_though_its_context_is_valid() {
        let (game, _folder, player) = shard();
        let context = game.world.sessions.issue_context(player.customer, Now::read());
        game.store.accounts().set_disabled("doc", true).unwrap().ticket.wait().unwrap();
        let outcome =
            answer(&game, PEER, &request(&game, &context, &SessionKey::random()).packet(), Now::read());
        assert_eq!(outcome.replies, [REFUSED, REFUSED]);
    }

    #[test]
    fn a_banned_account_is_told_so_twice_and_its_old_key_stays() {
        let (game, _folder, player) = shard();
        let context = game.world.sessions.issue_context(player.customer, Now::read());
        let login = request(&game, &context, &SessionKey::random()).packet();
        let target = crate::store::BanTarget::Account(player.customer);
        game.store.bans().put(target, "rams", None, Now::read()).unwrap().ticket.wait().unwrap();
        assert_eq!(answer(&game, PEER, &login, Now::read()).replies, [BANNED, BANNED]);
        let sessions = game.world.sessions.at(player.customer, PEER, Now::read());
        assert!(sessions.len() == 1 && sessions[0].key == player.key);
        game.store.bans().lift(target).unwrap().ticket.wait().unwrap();
        assert_eq!(answer(&game, PEER, &login, Now::read()).replies[0].id, id::USER_VALID);
    }

    #[test]
    fn who_fails_too_often_is_refused_without_a_decryption_and_nobody_else_is() {
        let (game, _folder, player) = shard();
        let context = game.world.sessions.issue_context(player.customer, Now::read());
        let good = request(&game, &context, &SessionKey::random());
        let bad = UserLogin { context: Str16::constant(b"wrong"), ..good.clone() };
        for _ in 0..game.config.limits.failed_logins_per_minute {
            answer(&game, PEER, &bad.packet(), Now::read());
        }
        assert!(!game.world.login_failures.admit(PEER, NOBODY, Now::read()));
        // Who has a Context of its own is not concerned, until it fails itself.
        let said = |packet: &Packet, from| answer(&game, from, packet, Now::read()).replies[0].id;
        assert_eq!(said(&good.packet(), PEER), id::USER_VALID);
        let bad = UserLogin { key_block: Str16::constant(b"not hexadecimal"), ..good.clone() };
        for _ in 0..game.config.limits.failed_logins_per_minute {
            answer(&game, PEER, &bad.packet(), Now::read());
        }
        assert_eq!(answer(&game, PEER, &good.packet(), Now::read()).replies, [REFUSED, REFUSED]);
        let other = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 21));
        assert_eq!(said(&good.packet(), other), id::USER_VALID);
    }

    #[test]
    fn an_unknown_message_is_acknowledged_so_that_the_client_does_not_hang() {
        let (game, _folder, _) = shard();
        let unknown = Packet { id: Id(0x0502), form: Form::LONG, body: vec![1, 2, 3] };
        assert_eq!(answer(&game, PEER, &unknown, Now::read()).replies, [Packet::bare(id::ACK)]);
    }
}
