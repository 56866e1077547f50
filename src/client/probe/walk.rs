//! The steps themselves, in the order of the recorded Client.

use super::super::nps::Nps;
use super::super::sitting::{
    Account, LobbyConnection, PersonaSession, RoomAddress, ShardEndpoints, Transactions, appearance,
};
use super::super::web::{Context, Web};
use super::super::{Error, Service, ShardEntry, ShardListError};
use super::report::Report;
use super::{Credentials, Target};
use mco_proto::ids::{BrandedPartId, CommId, SkinId, VehicleId};
use mco_proto::nps::id;
use mco_proto::nps::persona::PersonaEntry;
use mco_proto::nps::user_data::UserData;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The room whose address the recorded Client asks for.
const ROOM: CommId = CommId(1);

const AUTH: &str = "AuthLogin";
const SHARDS: &str = "Shard list";
const KEY: &str = "pub.key";
const AUTH_AGAIN: &str = "AuthLogin again";
const LOGIN: &str = "Login";
const PERSONAS: &str = "Personas";
const SELECT: &str = "Persona picked";
const LOBBY: &str = "Lobby";
const DIRECTORY: &str = "Lobby directory";
const NAMES: &str = "Lobby names";
const MCOTS: &str = "MCOTS connect";
const SIGN_IN: &str = "MCOTS login";
const LOBBIES: &str = "Race lobbies";
const ARCADE: &str = "Arcade cars";
const PAGES: &str = "Web pages";
const TUNABLES: &str = "Rules";
const CARS: &str = "Cars";
const PLAYER: &str = "Player";
const LOOKS: &str = "Looks";
const PARTS: &str = "Loose parts";
const CAR_PARTS: &str = "Parts of the cars";
const HOME: &str = "Home screen";
const BUDDIES: &str = "Buddies";
const ROOM_ADDRESS: &str = "Room address";
const ENTER_ROOM: &str = "Room";
const SHOW: &str = "Car shown";
const MAIL: &str = "Mail";
const CHAT: &str = "Chat lobby";
const CHAT_LIST: &str = "Who is there";
const LEAVE_CHAT: &str = "Chat lobby left";
const LOGOUT: &str = "MCOTS logout";
const LEAVE: &str = "Persona left";

const ALL: [&str; 32] = [
    AUTH,
    SHARDS,
    KEY,
    AUTH_AGAIN,
    LOGIN,
    PERSONAS,
    SELECT,
    LOBBY,
    DIRECTORY,
    NAMES,
    MCOTS,
    SIGN_IN,
    LOBBIES,
    ARCADE,
    PAGES,
    TUNABLES,
    CARS,
    PLAYER,
    LOOKS,
    PARTS,
    CAR_PARTS,
    HOME,
    BUDDIES,
    ROOM_ADDRESS,
    ENTER_ROOM,
    SHOW,
    MAIL,
    CHAT,
    CHAT_LIST,
    LEAVE_CHAT,
    LOGOUT,
    LEAVE,
];

const REFUSAL: &str = "AuthLogin refuses";
const LOGIN_PORT: &str = "Login port";
const PERSONA_PORT: &str = "Persona port";
const MAIL_PORT: &str = "Mail port";
const GREETING: &str = "Lobby greeting";
const MCOTS_PORT: &str = "MCOTS port";
const ROOM_PORTS: &str = "Room ports";

const WITHOUT_ACCOUNT: [&str; 9] =
    [REFUSAL, SHARDS, KEY, LOGIN_PORT, PERSONA_PORT, MAIL_PORT, GREETING, MCOTS_PORT, ROOM_PORTS];

/// The first of the web servers that is there.
pub(in crate::client) async fn reach(target: &Target, timeout: Duration) -> Result<Web, Error> {
    let mut first_error = None;
    for endpoint in &target.web {
        let web = Web::new(endpoint.clone(), timeout);
        match web.get("/ShardList/", "").await {
            Err(error @ (Error::Unreachable { .. } | Error::Unresolved { .. })) => {
                first_error.get_or_insert(error);
            }
            _ => return Ok(web),
        }
    }
    // A target always has a web server.
    Err(first_error.unwrap_or(Error::ShardList(ShardListError::Empty)))
}

/// Reports a step that failed before it began.
async fn report_failure(report: &mut Report<'_>, step: &'static str, error: Error) -> io::Result<()> {
    report.step(step, async { Err::<(), _>(error) }, |()| String::new()).await.map(drop)
}

/// So many of a thing.
fn count(many: usize, thing: &str) -> String {
    let several = if many == 1 { "" } else { "s" };
    format!("{many} {thing}{several}")
}

/// The first shard with status 0, as a User would take it.
fn usable(shards: &[ShardEntry]) -> Option<&ShardEntry> {
    shards.iter().find(|shard| shard.status == 0)
}

fn shard_names(shards: &[ShardEntry]) -> String {
    let mut text = String::new();
    for shard in shards {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}\"{}\" ({}) at {}", shard.name, shard.id, shard.login);
    }
    text
}

/// The shard list, and the endpoints it leads to.
async fn shards(
    report: &mut Report<'_>,
    web: &Web,
    target: &Target,
    timeout: Duration,
) -> io::Result<Option<Arc<ShardEndpoints>>> {
    let listed = report.step(SHARDS, web.shard_list(), |shards| shard_names(shards)).await?;
    Ok(listed.and_then(|shards| {
        usable(&shards).map(|shard| Arc::new(ShardEndpoints::new(shard, target.fixed, timeout)))
    }))
}

/// What can be seen without an account.
pub(super) async fn without_account(
    report: &mut Report<'_>,
    target: &Target,
    timeout: Duration,
) -> io::Result<()> {
    report.note("With --user NAME the probe also tests login, lobby, MCOTS and a room.");
    let web = match reach(target, timeout).await {
        Ok(web) => web,
        Err(error) => {
            report_failure(report, REFUSAL, error).await?;
            return report.skip_rest(&WITHOUT_ACCOUNT);
        }
    };
    let refusing = async {
        // No account has such a name: it is longer than names may be.
        let nobody = "nobody-mcos-probe-nobody-mcos-probe-nobody";
        match web.auth(nobody, "mcos-probe").await {
            Err(Error::WrongPassword { reason }) => Ok(reason),
            Err(error) => Err(error),
            Ok(_context) => Err(web.wrong("/AuthLogin", "accepts a user that does not exist")),
        }
    };
    report.step(REFUSAL, refusing, |reason| format!("an unknown user, with the reason: {reason}")).await?;
    let endpoints = shards(report, &web, target, timeout).await?;
    report.step(KEY, web.public_key(), |_| "an RSA-1024 public key".to_owned()).await?;
    if let Some(endpoints) = endpoints {
        for (step, service, endpoint) in [
            (LOGIN_PORT, Service::Login, &endpoints.login),
            (PERSONA_PORT, Service::Persona, &endpoints.persona),
            (MAIL_PORT, Service::Mail, &endpoints.mail),
        ] {
            let connecting = Nps::connect(service, endpoint, timeout);
            report.step(step, connecting, |_| format!("{endpoint} answers")).await?;
        }
        let greeting = async {
            let mut lobby = Nps::connect(Service::Lobby, &endpoints.lobby, timeout).await?;
            lobby.wait(&[id::OK_TO_LOGIN]).await
        };
        report.step(GREETING, greeting, |_| format!("{} greets", endpoints.lobby)).await?;
        let connecting = super::super::mcots::Mcots::connect(&endpoints.mcots, timeout);
        report.step(MCOTS_PORT, connecting, |_| format!("{} answers", endpoints.mcots)).await?;
        let rooms = async {
            for port in &target.rooms {
                Nps::connect(Service::Room, &endpoints.lobby.at(*port), timeout).await?;
            }
            Ok((target.rooms.first(), target.rooms.last()))
        };
        let say = |(first, last): &(Option<&u16>, Option<&u16>)| match (first, last) {
            (Some(first), Some(last)) => format!("{first} to {last} answer"),
            _ => "there are none".to_owned(),
        };
        report.step(ROOM_PORTS, rooms, say).await?;
    }
    report.skip_rest(&WITHOUT_ACCOUNT)
}

/// Everything that a sitting has, from AuthLogin to leaving the persona.
pub(super) async fn with_account(
    report: &mut Report<'_>,
    target: &Target,
    account: &Credentials,
    timeout: Duration,
) -> io::Result<()> {
    if let Some(session) = to_persona(report, target, account, timeout).await? {
        drive(report, &session).await?;
    }
    report.skip_rest(&ALL)
}

/// From AuthLogin to a selected persona.
async fn to_persona(
    report: &mut Report<'_>,
    target: &Target,
    account: &Credentials,
    timeout: Duration,
) -> io::Result<Option<PersonaSession>> {
    let web = match reach(target, timeout).await {
        Ok(web) => web,
        Err(error) => return report_failure(report, AUTH, error).await.map(|()| None),
    };
    let Credentials { user, password } = account;
    let given = |_: &Context| "gives a Context".to_owned();
    let known = report.step(AUTH, web.auth(user, password), given).await?;
    let endpoints = shards(report, &web, target, timeout).await?;
    let key = report.step(KEY, web.public_key(), |_| "an RSA-1024 public key".to_owned()).await?;
    let (Some(_), Some(endpoints), Some(key)) = (known, endpoints, key) else { return Ok(None) };
    let Some(context) = report.step(AUTH_AGAIN, web.auth(user, password), given).await? else {
        return Ok(None);
    };
    let say = |account: &Account| format!("customer {}", account.customer);
    let Some(account) = report.step(LOGIN, endpoints.login(&context, &key), say).await? else {
        return Ok(None);
    };
    let Some(personas) = report.step(PERSONAS, account.personas(), |list| persona_names(list)).await? else {
        return Ok(None);
    };
    let Some(first) = personas.first() else {
        let advice = format!(
            "Make one: \"mcos persona add {user} NAME\" on the server, or in the game, which offers it after the login."
        );
        report.fail(SELECT, "this account has no persona yet", advice)?;
        return Ok(None);
    };
    report.step(SELECT, account.select(first), |session| format!("\"{}\"", session.name)).await
}

fn persona_names(list: &[PersonaEntry]) -> String {
    let names: Vec<String> =
        list.iter().map(|entry| format!("\"{}\" ({})", entry.name, entry.persona)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// From the lobby to quitting. Lobby and MCOTS are looked at both, even if one of them fails.
async fn drive(report: &mut Report<'_>, session: &PersonaSession) -> io::Result<()> {
    let say = |_: &LobbyConnection| format!("{} accepts the login", session.account.endpoints.lobby);
    let mut lobby = report.step(LOBBY, session.lobby(), say).await?;
    if let Some(lobby) = &mut lobby {
        let listed = report.step(DIRECTORY, lobby.directory(), |riffs| count(riffs.len(), "channel")).await?;
        if listed.is_some() {
            report.step(NAMES, lobby.names(CommId(0)), |names| count(names.len(), "player")).await?;
        }
    }
    let mut mcots = report
        .step(MCOTS, Transactions::connect(session), |_| session.account.endpoints.mcots.to_string())
        .await?;
    let mut car = (VehicleId(0), BrandedPartId(0), SkinId(0));
    if let Some(mcots) = &mut mcots
        && let Some(current) = to_home(report, mcots).await?
    {
        car = current;
    }
    report.step(BUDDIES, session.buddies(), |buddies| format!("{buddies} on the list")).await?;
    let show = |in_lobby| appearance(car.0, car.1, car.2, in_lobby);
    if let Some(lobby) = &mut lobby {
        visit_room(report, session, lobby, &show).await?;
    } else {
        report.step(MAIL, session.mails(), |mails| count((*mails).into(), "mail")).await?;
    }
    if let Some(mcots) = mcots {
        report.step(LOGOUT, mcots.logout(), |()| "answered".to_owned()).await?;
    }
    report.step(LEAVE, session.leave(), |()| "answered".to_owned()).await.map(drop)
}

/// From 105 to the Home screen; the current car if all went well.
async fn to_home(
    report: &mut Report<'_>,
    mcots: &mut Transactions,
) -> io::Result<Option<(VehicleId, BrandedPartId, SkinId)>> {
    /// Takes a step and leaves at its failure.
    macro_rules! take {
        ($step:expr, $work:expr, $say:expr) => {
            match report.step($step, $work, $say).await? {
                Some(value) => value,
                None => return Ok(None),
            }
        };
    }
    take!(SIGN_IN, mcots.sign_in(None), |_| "accepted".to_owned());
    take!(LOBBIES, mcots.lobbies(), |(lobbies, purses)| format!(
        "{} lobbies, {}",
        lobbies.lobbies.len(),
        count(purses.purses.len(), "purse")
    ));
    take!(ARCADE, mcots.arcade_cars(), |list| count(list.cars.len(), "car"));
    take!(PAGES, mcots.urls(), |list| count(list.urls.len(), "page"));
    take!(TUNABLES, mcots.tunables(), |_| "complete".to_owned());
    let owned = take!(CARS, mcots.cars(), |cars| format!("{} owned", cars.len()));
    take!(PLAYER, mcots.player_info(), |info| format!("\"{}\", $ {}", info.name, info.bank_balance));
    take!(LOOKS, mcots.physical(), |looks| format!("session model {}", looks.body_type));
    take!(PARTS, mcots.loose_parts(), |list| count(list.parts.len(), "part"));
    let mut current = (VehicleId(0), BrandedPartId(0), SkinId(0));
    let cars = async {
        let mut parts = 0;
        for car in &owned {
            let info = mcots.car(car.vehicle).await?;
            current = (car.vehicle, car.model, info.skin);
            parts += info.parts.len();
        }
        Ok(parts)
    };
    take!(CAR_PARTS, cars, |parts| count(*parts, "part"));
    let home = async {
        mcots.screen("Home").await?;
        mcots.history().await
    };
    take!(HOME, home, |history| format!("{} kinds of race in the history", history.races.len()));
    Ok(Some(current))
}

/// From the room's address to the chat lobby and out of it, with mail in between as recorded.
async fn visit_room(
    report: &mut Report<'_>,
    session: &PersonaSession,
    lobby: &mut LobbyConnection,
    show: &impl Fn(bool) -> UserData,
) -> io::Result<()> {
    let say = |room: &RoomAddress| format!("\"{}\" at {}", room.name, room.endpoint);
    let address = report.step(ROOM_ADDRESS, lobby.server_info(ROOM), say).await?;
    let mut room = None;
    if let Some(address) = &address {
        let entering = async {
            let mut room = session.room(address).await?;
            room.directory().await?;
            room.names(CommId(0)).await?;
            Ok(room)
        };
        room = report.step(ENTER_ROOM, entering, |_| "accepts the login".to_owned()).await?;
    }
    report.step(MAIL, session.mails(), |mails| count((*mails).into(), "mail")).await?;
    let (Some(address), Some(room)) = (address, &mut room) else { return Ok(()) };
    let showing = async {
        lobby.set_user_data(&show(true)).await?;
        room.set_user_data(&show(false)).await
    };
    report.step(SHOW, showing, |()| "in lobby and room".to_owned()).await?;
    if report.step(CHAT, room.open_chat(address.endpoint.port), |()| "open".to_owned()).await?.is_none() {
        return Ok(());
    }
    let listing = async {
        let users = room.chat_users().await?;
        if users.iter().any(|user| user.persona == session.persona && user.user_data == show(false)) {
            return Ok(users);
        }
        Err(room.nps().contradiction(id::USER_LIST, "users", "we are not in it as we showed ourselves"))
    };
    report
        .step(CHAT_LIST, listing, |users| format!("{}, we among them", count(users.len(), "player")))
        .await?;
    report.step(LEAVE_CHAT, room.close_chat(), |()| "answered".to_owned()).await.map(drop)
}
