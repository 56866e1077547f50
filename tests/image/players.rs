//! Players at a box: accounts made on its page, drivers, and parts bought until the lights go out.

use crate::machine::{self, ADDRESS, PATIENCE};
use mco_proto::ids::{BrandedPartId, DealerId, PartId, SkinId};
use mco_proto::mcots::{GenericRequest, number};
use mcos::client::Error;
use mcos::client::sitting::{Account, FirstCar, FixedPorts, PersonaSession, ShardEndpoints, Transactions};
use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const PASSWORD: &str = "Roadster-1957.x";
/// A part that is cheap enough to be bought often.
const MUFFLER: u32 = 300_001;

/// What a player was told it has. Only this counts: of a purchase whose answer never came nobody knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) user: String,
    pub(crate) driver: bool,
    pub(crate) car: bool,
    pub(crate) parts: Vec<PartId>,
}

/// Makes an account on the page, as a player does.
pub(crate) fn make_account(user: &str) -> Result<(), String> {
    let form = format!("name={user}&password={PASSWORD}&again={PASSWORD}");
    let mut socket = TcpStream::connect((ADDRESS, 80)).map_err(|error| error.to_string())?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let request = format!(
        "POST /account HTTP/1.0\r\nHost: {ADDRESS}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut page = String::new();
    socket
        .write_all(request.as_bytes())
        .and_then(|()| socket.read_to_string(&mut page))
        .map_err(|error| error.to_string())?;
    if page.contains("The account is created") { Ok(()) } else { Err(page) }
}

/// Makes a driver, as a player does in the game.
pub(crate) async fn make_driver(user: &str) -> Result<(), Error> {
    sign_in(user).await?.create_persona(user).await.map(|_| ())
}

async fn sign_in(user: &str) -> Result<Account, Error> {
    let web = machine::web();
    let shards = web.shard_list().await?;
    let fixed = FixedPorts { persona: 8228, mail: 8227, mcots: 43300 };
    let place = Arc::new(ShardEndpoints::new(&shards[0], fixed, PATIENCE));
    Account::sign_in(&web, &place, user, PASSWORD).await
}

async fn drive(user: &str) -> Result<PersonaSession, Error> {
    let account = sign_in(user).await?;
    let personas = account.personas().await?;
    account.select(&personas[0]).await
}

/// A new driver buys a car and then parts, one after the other, until `stop` says so or the box no longer answers. What it
/// is told is in `told` as soon as it is told.
pub(crate) async fn shop(told: &Mutex<Told>, stop: &AtomicBool) -> Result<(), Error> {
    let user = told.lock().unwrap().user.clone();
    let account = sign_in(&user).await?;
    account.create_persona(&user).await?;
    told.lock().unwrap().driver = true;
    let mut mcots = Transactions::connect(&drive(&user).await?).await?;
    mcots
        .sign_in(Some(FirstCar { dealer: DealerId(8), model: BrandedPartId(104), skin: SkinId(47) }))
        .await?;
    told.lock().unwrap().car = true;
    while !stop.load(Ordering::Relaxed) {
        match mcots.order(GenericRequest::body(number::BUY_NEW_PART, MUFFLER)).await {
            Ok(bought) => told.lock().unwrap().parts.push(PartId(bought.data)),
            // Out of money, or of room.
            Err(Error::Refused { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Signs the player in again and compares.
pub(crate) async fn is_all_there(told: &Told) -> Result<(), String> {
    let say = |error: Error| format!("{}: {error}", told.user);
    let account = sign_in(&told.user).await.map_err(say)?;
    let personas = account.personas().await.map_err(say)?;
    if !told.driver {
        return Ok(());
    }
    let Some(entry) = personas.first() else { return Err(format!("{}: the driver is lost", told.user)) };
    if !told.car {
        return Ok(());
    }
    let driver = account.select(entry).await.map_err(say)?;
    let mut mcots: Transactions = Transactions::connect(&driver).await.map_err(say)?;
    mcots.sign_in(None).await.map_err(say)?;
    if mcots.cars().await.map_err(say)?.is_empty() {
        return Err(format!("{}: the car is lost", told.user));
    }
    let loose = mcots.loose_parts().await.map_err(say)?;
    let there: HashSet<PartId> = loose.parts.iter().map(|part| part.part.part).collect();
    let lost: Vec<&PartId> = told.parts.iter().filter(|part| !there.contains(part)).collect();
    if lost.is_empty() { Ok(()) } else { Err(format!("{}: parts are lost: {lost:?}", told.user)) }
}
