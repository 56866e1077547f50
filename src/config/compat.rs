//! `[compat]`: what no recording proves. Each key is a guess with a default, so that the first two Clients that meet can
//! settle it by a line of configuration. The reasons stand in `mcos.toml.example`.

use serde::Deserialize;

/// `[compat]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of a file")]
pub struct Compat {
    /// How what the server tells others travels.
    pub push_form: PushForm,
    /// How relays travel.
    pub relay_form: RelayForm,
    /// Whether relays of the short family, 0x80 to 0x88, are read as those of the long one.
    pub short_relays: bool,
    /// Whether the sender of a relay to everybody gets it back.
    pub echo_relays: bool,
    /// Whether a wrong password keeps a player out of a race, or is only noted in the log.
    pub deny_wrong_password: bool,
    /// Whether who opens a race hears 0x020C about itself.
    pub race_self_notice: bool,
    /// Whether who opens a chat channel hears 0x020C about itself.
    pub chat_self_notice: bool,
    /// Whether others hear 0x0208 when somebody leaves a channel.
    pub leave_notices: bool,
    /// Whether others hear 0x0109 when somebody is ready, or no longer.
    pub ready_notices: bool,
    /// Whether a race hears 0x0227 when it has a new host.
    pub owner_notices: bool,
    /// Whether those in a LOBBY channel hear 0x020E and 0x020F when a race is made or gone.
    pub announce_races: bool,
    /// What others hear when the host changes a race's description.
    pub channel_updates: ChannelUpdates,
    /// Whether others on the same server hear 0x0203 and 0x0202 when somebody comes and goes.
    pub server_notices: bool,
    /// The width in bytes of the last field of each race in 0x0401.
    pub race_list_width: u8,
    /// Whether 0x0224 goes before 0x020D when a race starts.
    pub state_changes: bool,
    /// The body of 0x021C.
    pub race_started: RaceStarted,
    /// On which connection a racer hears that the race starts.
    pub race_start_on: RaceStartOn,
    /// Whether joiners hear 233 when the host starts the race on MCOTS.
    pub start_notices: bool,
    /// What the class of a car means in 123 and in the terms of a race.
    pub car_class: ClassForm,
    /// Numbers of MCOTS requests that are not offered and get no answer instead of 102.
    pub mcots_silent: Vec<u16>,
    /// Numbers of MCOTS requests that are not offered and are answered 101 instead of 102.
    pub mcots_success: Vec<u16>,
}

/// How what the server tells others travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushForm {
    /// Inside 0x1101.
    #[default]
    Sealed,
    /// As it is.
    Clear,
}

/// How relays travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayForm {
    /// In the form in which they came.
    #[default]
    AsSent,
    /// Inside 0x1101.
    Sealed,
    /// As they are.
    Clear,
}

/// What others hear when the host changes a race's description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelUpdates {
    /// 0x0219 with the body of 0x020E.
    #[default]
    Whole,
    /// 0x0219 with the number and the 256 bytes.
    Data,
    /// Nothing.
    Off,
}

/// The body of 0x021C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RaceStarted {
    /// The race's number.
    #[default]
    Number,
    /// The same as 0x020D.
    ServerInfo,
}

/// On which connection a racer hears that the race starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RaceStartOn {
    /// The one with which it is in the race.
    #[default]
    Member,
    /// The one to the server on which the host started it, if there is one.
    HostsServer,
}

/// What the class of a car means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassForm {
    /// The kind of its body: 1 fat fender, 2 shoebox, 3 muscle.
    #[default]
    Body,
    /// The class in which it races: 0 stock, 1 stock muscle, 2 modified classic, 3 modified muscle.
    Race,
}

impl Default for Compat {
    fn default() -> Self {
        Self {
            push_form: PushForm::default(),
            relay_form: RelayForm::default(),
            short_relays: true,
            echo_relays: false,
            deny_wrong_password: false,
            race_self_notice: true,
            chat_self_notice: false,
            leave_notices: true,
            ready_notices: true,
            owner_notices: true,
            announce_races: true,
            channel_updates: ChannelUpdates::default(),
            server_notices: false,
            race_list_width: 1,
            state_changes: false,
            race_started: RaceStarted::default(),
            race_start_on: RaceStartOn::default(),
            start_notices: true,
            car_class: ClassForm::default(),
            mcots_silent: Vec::new(),
            mcots_success: Vec::new(),
        }
    }
}
