//! Signing in and out, and the first car.

use super::{Answer, Call, ConnectionState, Player, Refusal, Request, garage};
use crate::catalog::Offer;
use crate::clock::{self, Now};
use crate::services::{Game, Outcome};
use crate::store::{Changed, GarageError, Letter, Persona, Ticket};
use crate::world::{Session, SignInStep};
use mco_proto::ids::BrandedPartId;
use mco_proto::mcots::session::{ClientConnect, Login, LoginComplete, Timestamp, Tracking};
use mco_proto::mcots::{GenericReply, GenericRequest, Message, number};

/// 438: whose connection this is. The answer is the last packet in clear. Refusal by closing, and alike for an account
/// that did not sign in (from this address: RC4 with one key for both directions is a weak proof by itself), an unknown
/// persona and somebody else's.
pub(super) fn connect(call: &mut Call<'_>, connect: &ClientConnect) -> Answer {
    let Call { game, caller, now, .. } = call;
    let (game, now) = (*game, *now);
    if caller.player.is_some() {
        return Err(Refusal::NotAllowed("a second time"));
    }
    let Some((player, sessions)) = admitted(game, caller, connect, now) else {
        let ClientConnect { customer, persona, .. } = *connect;
        log::info!(
            "mcots: refused {}: not signed in as customer {customer} with persona {persona}",
            caller.peer
        );
        game.world.sign_in_trace.refused(caller.peer.ip(), SignInStep::Mcots, now);
        return Ok(Outcome::goodbye());
    };
    caller.player = Some(player);
    game.world.races.lock().signed_in(player.persona, caller.connection);
    caller.sessions = sessions;
    log::debug!("mcots: {caller} connected, Client version {}", connect.version);
    Ok(Outcome {
        start_encryption: caller.sessions.first().map(|session| session.key.clone()),
        ..Outcome::reply(GenericReply::success(number::CLIENT_CONNECT_MSG))
    })
}

/// Who it is, and the sessions that the account has at this address: 438 does not say in which of them the Client is.
fn admitted(
    game: &Game,
    caller: &ConnectionState,
    connect: &ClientConnect,
    now: Now,
) -> Option<(Player, Vec<Session>)> {
    let ClientConnect { customer, persona, .. } = *connect;
    let sessions = game.world.sessions.at(customer, caller.peer.ip(), now);
    let persona = game.store.personas().by_id(persona).unwrap_or_else(|error| {
        log::error!("mcots: cannot read persona {persona}: {error}");
        None
    })?;
    (!sessions.is_empty() && persona.customer_id == customer)
        .then_some((Player { customer, persona: persona.id }, sessions))
}

/// 105: the persona enters the game, perhaps with the car it was promised when it was made.
///
/// "First time" is said as long as it is the persona's first sitting or it has no first car: 1 is what a Client was seen
/// to accept, for an old persona too, and 0 for the others is what the name asks for.
pub(super) fn login(request: &Request<'_>, login: &Login) -> Answer {
    let Request { game, caller, player, now } = *request;
    if (login.customer, login.persona) != (player.customer, player.persona) {
        let Login { customer, persona, .. } = *login;
        return Err(Refusal::because(format!("it names customer {customer} and persona {persona}")));
    }
    let Some(persona) = game.store.personas().by_id(player.persona)? else {
        return Err(Refusal::because("the persona was deleted"));
    };
    game.world.sign_in_trace.passed(caller.peer.ip(), SignInStep::Mcots, now);
    log::info!("mcots: login of {caller}, {:?} of customer {}", persona.name, player.customer);
    let paid = salary(request);
    let helped = garage::relieve(game, persona.id, now);
    // Each is on the card after those before it, so waiting for the last is waiting for all.
    let ticket = first_car(request, login, &persona).or(helped).or(paid);
    // The choice of the persona on 8228 has counted this sitting already.
    let first_time = persona.logins <= 1 || !persona.starter_car_chosen;
    let complete = LoginComplete::new(now.unix32(), first_time, timestamp(clock::next_week(now.unix)));
    let answer = Outcome::reply(complete.body());
    Ok(match ticket {
        Some(ticket) => answer.after(ticket),
        None => answer,
    })
}

/// The pay-cheque, if one is due. The Client is not told that one waits, for it would want to fetch it, and nobody knows how.
fn salary(request: &Request<'_>) -> Option<Ticket> {
    let (persona, rules) = (request.player.persona, request.game.catalog.tunables());
    match request.game.store.personas().pay_salary(
        persona,
        &|persona| rules.salary(persona.level),
        request.now,
    ) {
        Ok(None) => None,
        Ok(Some(Changed { value: dollars, ticket })) => {
            log::info!("mcots: persona {persona} is paid a salary of {dollars}");
            Some(ticket)
        }
        Err(error) => {
            log::error!("mcots: persona {persona} is not paid: {error}");
            None
        }
    }
}

/// A moment in seconds since 1970, as the Client writes it.
fn timestamp(seconds: u64) -> Timestamp {
    let (year, month, day) = clock::date(seconds);
    let short = |number: u64| u16::try_from(number).unwrap_or_default();
    Timestamp {
        year: i16::try_from(year).unwrap_or_default(),
        month: short(month),
        day: short(day),
        hour: short(seconds / 3600 % 24),
        minute: short(seconds / 60 % 60),
        second: short(seconds % 60),
        fraction: 0,
    }
}

/// The car that was picked while the persona was made, once. If it can't be had there is none but a mail that says why, and
/// the login goes on: the Client waits for nothing else.
fn first_car(request: &Request<'_>, login: &Login, persona: &Persona) -> Option<Ticket> {
    const NONE: BrandedPartId = BrandedPartId(0);
    let Login { dealer, model, skin, .. } = *login;
    if model == NONE || persona.starter_car_chosen {
        return None;
    }
    let catalog = &request.game.catalog;
    // The one 105 with a car that was ever logged names a dealer nobody knows (0x800). A driver without a car can't do
    // anything, so any lot that has the model will do.
    let offer = catalog
        .offer(dealer, model, request.now.day())
        .or_else(|| catalog.offer_anywhere(model, request.now.day()));
    let Some(offer) = offer else {
        log::info!("garage: no first car for persona {}: dealer {dealer} has no {model}", persona.id);
        return no_first_car(request, "The car that you picked is not for sale.");
    };
    match request.game.store.garage().buy_car(
        persona.id,
        garage::purchase(request.game, offer.clone(), skin),
        request.now,
    ) {
        Ok(Changed { value: vehicle, ticket }) => {
            let Offer { car, price, .. } = offer;
            log::info!(
                "garage: persona {} chose a {car} for {price} as its first, car {vehicle}",
                persona.id
            );
            Some(ticket)
        }
        // Another connection of the same Client was quicker.
        Err(GarageError::AlreadyChosen) => None,
        Err(error) => {
            log::info!("garage: no first car for persona {}: {error}", persona.id);
            let Offer { car, price, .. } = offer;
            let why = match error {
                GarageError::InsufficientFunds => {
                    format!(
                        "The {car} that you picked costs {price} dollars today, and there is less in your bank."
                    )
                }
                _ => format!("The {car} that you picked could not be delivered."),
            };
            no_first_car(request, &why)
        }
    }
}

/// Says by mail why there is no first car.
fn no_first_car(request: &Request<'_>, why: &str) -> Option<Ticket> {
    let text = format!(
        "{why} You have paid nothing. Visit a dealer and buy a car there: your first choice is still open."
    );
    let letter = Letter::city_news("Your first car", &text);
    match request.game.store.mails().send(request.player.persona, &letter, request.now) {
        Ok(sent) => Some(sent.ticket),
        Err(error) => {
            log::error!("garage: persona {} is not told: {error}", request.player.persona);
            None
        }
    }
}

/// 106: the Client is about to leave, and closes the connection itself once it has heard this (*captured*).
pub(super) fn logout(request: &Request<'_>, _: &GenericRequest) -> Answer {
    log::info!("mcots: logout of {}", request.caller);
    Ok(Outcome::reply(GenericReply::success(number::LOGOUT)))
}

/// 440: what the Client reports about its machine and its screens.
pub(super) fn tracking(request: &Request<'_>, Tracking { kind, text }: &Tracking) {
    log::debug!("mcots: {} tracks {kind} {text:?}", request.caller);
}
