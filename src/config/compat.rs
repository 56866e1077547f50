//! `[compat]`: what no recording proves. Each key is a guess with a default, so that the first two Clients that meet can
//! settle it by a line of configuration. The reasons stand in `mcos.toml.example`.

use super::key::{choice, section};
use super::rule::Rule;

section! {
    /// `[compat]`: what no recording proves.
    #[allow(clippy::struct_excessive_bools, reason = "independent switches of a file")]
    pub struct Compat {
        /// How what the server tells others travels.
        push_form: PushForm = PushForm::default(), PushForm::RULE;
        /// How relays travel.
        relay_form: RelayForm = RelayForm::default(), RelayForm::RULE;
        /// Whether relays of the short family, 0x80 to 0x88, are read as those of the long one.
        short_relays: bool = true, Rule::Switch;
        /// Whether the sender of a relay to everybody gets it back.
        echo_relays: bool = false, Rule::Switch;
        /// Whether a wrong password keeps a player out of a race, or is only noted in the log.
        deny_wrong_password: bool = false, Rule::Switch;
        /// Whether a race is refused for terms that its lobby does not offer, or gets the nearest that it does.
        deny_unoffered_terms: bool = true, Rule::Switch;
        /// Whether the description of a race's room stays as it was first given.
        fixed_descriptions: bool = true, Rule::Switch;
        /// Whether who opens a race hears 0x020C about itself.
        race_self_notice: bool = true, Rule::Switch;
        /// Whether who opens a chat channel hears 0x020C about itself.
        chat_self_notice: bool = false, Rule::Switch;
        /// Whether others hear 0x0208 when somebody leaves a channel.
        leave_notices: bool = true, Rule::Switch;
        /// Whether others hear 0x0109 when somebody is ready, or no longer.
        ready_notices: bool = true, Rule::Switch;
        /// Whether a race hears 0x0227 when it has a new host.
        owner_notices: bool = true, Rule::Switch;
        /// Whether those in a LOBBY channel hear 0x020E and 0x020F when a race is made or gone.
        announce_races: bool = true, Rule::Switch;
        /// What others hear when the host changes a race's description.
        channel_updates: ChannelUpdates = ChannelUpdates::default(), ChannelUpdates::RULE;
        /// Whether others on the same server hear 0x0203 and 0x0202 when somebody comes and goes.
        server_notices: bool = false, Rule::Switch;
        /// The width in bytes of the last field of each race in 0x0401.
        race_list_width: u8 = 1, Rule::NumberOf(&[1, 4]);
        /// Whether 0x0224 goes before 0x020D when a race starts.
        state_changes: bool = false, Rule::Switch;
        /// The body of 0x021C.
        race_started: RaceStarted = RaceStarted::default(), RaceStarted::RULE;
        /// On which connection a racer hears that the race starts.
        race_start_on: RaceStartOn = RaceStartOn::default(), RaceStartOn::RULE;
        /// Whether joiners hear 233 when the host starts the race on MCOTS.
        start_notices: bool = true, Rule::Switch;
        /// What the class of a car means in 123 and in the terms of a race.
        car_class: ClassForm = ClassForm::default(), ClassForm::RULE;
        /// Whether a car of another class than the host asks for is kept out of a race.
        check_body_class: bool = false, Rule::Switch;
        /// Whether others hear the number of a player's club with its looks, at byte 44 of what a Client tells of itself.
        club_in_user_data: bool = false, Rule::Switch;
        /// Whether 108 tells the number of a player's club.
        club_in_player_info: bool = false, Rule::Switch;
        /// Whether a Context counts only from the address that asked for it.
        bind_context: bool = true, Rule::Switch;
        /// Whether the first encrypted request on a connection to MCOTS has to name its customer or persona.
        prove_key: bool = true, Rule::Switch;
        /// Whether 490 is answered with the number of classified ads, and not always with 0.
        count_ads: bool = false, Rule::Switch;
        /// Numbers of MCOTS requests that are not offered and get no answer instead of 102.
        mcots_silent: Vec<u16> = Vec::new(), Rule::MessageNumbers;
        /// Numbers of MCOTS requests that are not offered and are answered 101 instead of 102.
        mcots_success: Vec<u16> = Vec::new(), Rule::MessageNumbers;
        /// Which page of this server the game opens by which number, such as `5 /boards`.
        game_pages: Vec<String> = Vec::new(), Rule::GamePages;
    }
}

choice! {
    /// How what the server tells others travels.
    pub enum PushForm {
        /// Inside 0x1101.
        Sealed = "sealed",
        /// As it is.
        Clear = "clear",
    }
}

choice! {
    /// How relays travel.
    pub enum RelayForm {
        /// In the form in which they came.
        AsSent = "as-sent",
        /// Inside 0x1101.
        Sealed = "sealed",
        /// As they are.
        Clear = "clear",
    }
}

choice! {
    /// What others hear when the host changes a race's description.
    pub enum ChannelUpdates {
        /// 0x0219 with the body of 0x020E.
        Whole = "whole",
        /// 0x0219 with the number and the 256 bytes.
        Data = "data",
        /// Nothing.
        Off = "off",
    }
}

choice! {
    /// The body of 0x021C.
    pub enum RaceStarted {
        /// The race's number.
        Number = "number",
        /// The same as 0x020D.
        ServerInfo = "server-info",
    }
}

choice! {
    /// On which connection a racer hears that the race starts.
    pub enum RaceStartOn {
        /// The one with which it is in the race.
        Member = "member",
        /// The one to the server on which the host started it, if there is one.
        HostsServer = "hosts-server",
    }
}

choice! {
    /// What the class of a car means.
    pub enum ClassForm {
        /// The kind of its body: 1 fat fender, 2 shoebox, 3 muscle.
        Body = "body",
        /// The class in which it races: 0 stock, 1 stock muscle, 2 modified classic, 3 modified muscle.
        Race = "race",
    }
}
