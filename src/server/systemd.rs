//! What systemd hears of us, or whoever else started us with `$NOTIFY_SOCKET` set. Without that variable nobody does.
//!
//! The variables stay as they are, since a restart within the process needs them again.

use sd_notify::NotifyState;
use std::env;
use std::time::Duration;

/// How long a start may take without a sign of life, in microseconds: as long as `TimeoutStartSec=` of our unit.
const START_MICROS: u32 = 600_000_000;

/// The longest line about how things are; `systemctl status` shows it on one.
const STATUS_BYTES: usize = 300;

/// Whether somebody listens.
pub(super) fn listens() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// The server begins, and gives no sign of life until it is [`ready`]: it may have a database to make anew.
///
/// After a restart within the process systemd waits for such signs already. And in a new one it must not be given one alone: from the
/// first on it waits for the next, ready or not.
pub(crate) fn starting(status: &str) {
    let status = one_line(status);
    let mut said = vec![NotifyState::Status(&status)];
    if deadline().is_some() {
        said.extend([NotifyState::Watchdog, NotifyState::WatchdogUsec(START_MICROS)]);
    }
    tell(&said);
}

/// All ports answer.
pub(crate) fn ready(status: &str) {
    let status = one_line(status);
    let mut said = vec![NotifyState::Ready, NotifyState::Status(&status)];
    if let Some(deadline) = deadline() {
        said.extend([NotifyState::Watchdog, NotifyState::WatchdogUsec(deadline)]);
    }
    tell(&said);
}

/// When systemd gives us up without a sign of life, in microseconds. `None`: never, or not before a start must have ended.
fn deadline() -> Option<u32> {
    let deadline = u32::try_from(sd_notify::watchdog_enabled()?.as_micros()).ok()?;
    (deadline < START_MICROS).then_some(deadline)
}

/// How things are, in words for a person.
pub(crate) fn status(status: &str) {
    tell(&[NotifyState::Status(&one_line(status))]);
}

/// The server ends.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// The server begins anew in the same process. Not "stopping": systemd would see to it that it stops.
pub(crate) fn restarting() {
    let status = NotifyState::Status("restarting, because the operator wants it");
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, status]),
        Err(_) => tell(&[NotifyState::Reloading, status]),
    }
}

/// All is well, until this has not come for the time that systemd was told to wait.
pub(crate) fn beat() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`beat`] is expected: twice in the time after which systemd gives us up. `None`: nobody waits for it.
pub(crate) fn beat_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|deadline| deadline / 2)
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        log::debug!("systemd does not listen: {error}");
    }
}

/// A message is lines of its own, so text may not bring more of them.
fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    line.truncate(line.floor_char_boundary(STATUS_BYTES));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_of_bounded_length() {
        assert_eq!(one_line("ready\nREADY=1"), "ready READY=1");
        assert_eq!(one_line(&"\u{fc}".repeat(STATUS_BYTES)).len(), STATUS_BYTES);
    }
}
