//! `mcos kit`: the player kit, as a file to hand out.

use super::{CliError, Setting, output, reach};
use crate::admin::health;
use crate::admin::kit::{self, Certificate, Kit};
use crate::admin::requests::{Request, Response};
use crate::atomic_file::{self, Access};
use crate::config::HostName;
use crate::server::addresses;
use crate::services::Ports;
use crate::world::OwnName;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Command {
    /// The zip file to write
    #[arg(value_name = "OUT.zip")]
    file: PathBuf,
    /// Name or IPv4 address of this server for the players
    /// [default: public_host in mcos.toml, or the address of this machine]
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    host: Option<HostName>,
}

fn host_name(text: &str) -> Result<HostName, &'static str> {
    HostName::parse(text)
        .ok_or("write a host name or an IPv4 address (four numbers up to 255), without a port")
}

pub(super) fn run(setting: &Setting, command: &Command) -> Result<(), CliError> {
    let address = addresses::own().into_iter().next();
    let chosen = command.host.clone().or_else(|| setting.config.network.public_host.clone());
    let host = chosen.or_else(|| address.map(|address| HostName::from_address(address.into())));
    let host = host.ok_or_else(|| {
        CliError::Failed("this machine has no network address; name one with --host".to_owned())
    })?;
    let response = reach::perform(setting, Request::KitParts)?;
    let Response::KitParts { public_key, http, https, certificate } = response else {
        return Err(reach::unexpected(&response));
    };
    let certificate = certificate.map(|der| Certificate::from_der(&der));
    let trusted = certificate.is_some();
    let ports = Ports { http, https, ..Ports::from(&setting.config.network) };
    let mut warnings = health::moved_ports(&ports);
    let netbios = kit::netbios_name(&setting.config.network, &OwnName::default().read());
    let older_windows = kit::pages_for_older_windows(&host, netbios, address, http);
    if !older_windows.is_empty() {
        warnings.push(format!(
            "Windows XP to 8 do not find {host}, because its name ends in .local: give them the kit from {}",
            older_windows.join(" or ")
        ));
    }
    if host.is_loopback() {
        warnings.push(format!(
            "{host} means \"this PC itself\": the kit works only on the computer that the server runs on; name the server with --host"
        ));
    }
    let kit = Kit { host: host.clone(), address, netbios, ports, public_key, certificate };
    let zip = kit.zip().map_err(CliError::failed)?;
    let file = command.file.display();
    atomic_file::replace(&command.file, Access::Everyone, |new| new.write_all(&zip))
        .map_err(|e| CliError::Failed(format!("cannot write {file}: {e}; {}", atomic_file::advice(&e))))?;
    output::line(&format!("the player kit for {host} is in {file}"))?;
    if !trusted {
        warnings.push(
            "it has no certificate, because this server has none: without one the game cannot sign in over HTTPS; \
             start the server once, which makes it, and write the kit again"
                .to_owned(),
        );
    }
    warnings.iter().try_for_each(|warning| output::line(&format!("warning: {warning}")))
}
