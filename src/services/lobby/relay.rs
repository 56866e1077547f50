//! Passing on what Clients say to each other: chat and race traffic alike, unread.

use super::Handler;
use crate::config::RelayForm;
use crate::services::dispatch::Refusal;
use crate::services::{Encryption, Outcome, Push, Verdict};
use crate::world::{RelayLoad, Unheard};
use mco_proto::nps::Packet;
use mco_proto::nps::relay::{Relay, is_short};
use std::sync::Arc;

impl Handler<'_> {
    /// 0x0080 to 0x009A. Nothing is answered, not even a refusal (*seen in use*). This is the hot path: one body for
    /// all receivers, and no lock but the one under which they are found.
    pub(super) fn relay(&mut self, packet: &Packet) -> Result<Outcome<Packet>, Refusal> {
        let compat = &self.game.config.compat;
        let Some(me) = self.caller.me.as_ref().map(|me| me.persona) else { return Ok(Outcome::silence()) };
        let short = is_short(packet.id);
        if short && !compat.short_relays {
            return self.lost("a relay whose layout is unknown");
        }
        let relay = Relay::read(packet)?;
        if short && relay.sender != me {
            return self.lost("a relay that does not have the layout of the long ones");
        }
        let channels = &self.game.world.channels;
        let echo = compat.echo_relays;
        let per_second = self.game.config.limits.relay_bytes_per_second;
        let load = RelayLoad { bytes: packet.size(), per_second, now: self.now };
        let heard = channels.receivers(self.caller.connection, relay.channel, &relay.address, echo, load);
        let receivers = match heard {
            Ok(receivers) => receivers,
            Err(Unheard::NotThere) => return self.lost("a relay in a channel it is not in"),
            Err(Unheard::TooMuch) => return self.lost("more relays than anybody has to read"),
        };
        if receivers.is_empty() {
            return Ok(Outcome::silence());
        }
        let envelope = match compat.relay_form {
            RelayForm::AsSent if !self.message.encrypted => Encryption::Clear,
            RelayForm::Clear => Encryption::Clear,
            RelayForm::AsSent | RelayForm::Sealed => Encryption::Encrypted,
        };
        let forwarded = relay.forwarded(me);
        if forwarded.size() > Packet::LARGEST {
            return self.lost("a relay too large to be passed on");
        }
        Ok(Outcome::silence().push(Push::Packet(receivers, Arc::new(forwarded), envelope)))
    }

    /// A relay that goes nowhere. Only the first of a connection is worth a line: there may be thirty a second.
    fn lost(&mut self, why: &'static str) -> Result<Outcome<Packet>, Refusal> {
        if std::mem::replace(&mut self.caller.lost_relay, true) {
            return Ok(Outcome { verdict: Verdict::NotAllowed, ..Outcome::silence() });
        }
        Err(Refusal::NotAllowed(why))
    }
}
