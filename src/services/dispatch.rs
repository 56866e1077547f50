//! One way to answer a message: a table of rows, each with a number, who may send it, whether it is answered, and the function
//! that answers. What is not in the table, not allowed or malformed gets a line in the log and the service's default answer.

mod message;

pub(super) use message::{Answer, GamePacket, Message};

use super::{Game, Hex, Outcome, Verdict};
use crate::clock::Now;
use crate::store::StoreError;
use crate::world::{Reason, Sender};
use mco_proto::mcots::Number;
use mco_proto::{Malformed, TooLong, nps};
use message::shown;
use std::fmt;
use std::net::IpAddr;

/// The far end of a connection, as a service knows it. Shown, it is what a line of the log calls it.
pub(super) trait Caller: fmt::Display {
    /// Whether it has signed in on this connection.
    fn is_signed_in(&self) -> bool;
    fn address(&self) -> IpAddr;
}

/// The address that has connected to `PORT`, where a connection is for one request: there is nothing else to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<const PORT: u16>(pub(super) IpAddr);

impl<const PORT: u16> fmt::Display for Peer<PORT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const PORT: u16> Caller for Peer<PORT> {
    fn is_signed_in(&self) -> bool {
        false
    }
    fn address(&self) -> IpAddr {
        self.0
    }
}

/// What the functions that answer are given.
pub(super) struct Call<'a, S, M> {
    pub(super) game: &'a Game,
    pub(super) caller: &'a mut S,
    pub(super) message: &'a M,
    pub(super) now: Now,
}

/// Who may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody who connects.
    Anyone,
    /// Who has signed in on this connection.
    SignedIn,
    /// Who has signed in, and only encrypted.
    Encrypted,
}

/// Whether a message is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The Client waits for an answer, so a refusal is one too.
    Expected,
    /// The Client waits for nothing, whatever comes of it.
    Never,
}

/// What is known of what is in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Its fields.
    Known,
    /// Its fields are a guess, so each one that comes is worth a line in the log, and the first is kept.
    Guessed,
    /// Nothing. The first is kept; many may come, so there are no lines in the log.
    Opaque,
}

impl Layout {
    const fn reason(self) -> Option<Reason> {
        match self {
            Self::Known => None,
            Self::Guessed => Some(Reason::Guessed),
            Self::Opaque => Some(Reason::Opaque),
        }
    }
}

/// Answers one message.
pub(super) type Run<S, M, R> = fn(&mut Call<'_, S, M>) -> Result<Outcome<R>, Refusal>;

/// One row of a service's table.
pub(super) struct Row<S, M: Message, R> {
    /// The first number and the last: they differ for the relays only.
    pub(super) numbers: (M::Number, M::Number),
    pub(super) who: Who,
    pub(super) reply: Reply,
    /// What is known of what is in it.
    pub(super) layout: Layout,
    pub(super) run: Run<S, M, R>,
}

/// A service: its name, its table, and what it answers where the table gives no answer.
pub(super) struct Service<S: 'static, M: Message + 'static, R: 'static> {
    /// What lines of the log begin with.
    pub(super) name: fn(&S) -> &'static str,
    pub(super) rows: &'static [Row<S, M, R>],
    /// The answer to a message that is refused and whose sender waits.
    pub(super) refuse: fn(&Call<'_, S, M>, &Refusal) -> Outcome<R>,
}

/// Why a message is not answered as its sender wants.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its body does not fit the layout of its number.
    Malformed(Malformed),
    /// Its number stands in no row.
    Unknown,
    /// Its sender may not send it, or not now, or not in this form.
    NotAllowed(&'static str),
    /// It is understood and not granted: a reason code for the Client, if one fits, and words for the log.
    Because(Option<Number>, String),
    /// What should be answered does not fit its field.
    TooLong(TooLong),
    /// The store failed.
    Store(StoreError),
}

impl Refusal {
    /// Not granted for a reason that no code says.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self::Because(None, why.into())
    }

    const fn verdict(&self) -> Verdict {
        match self {
            Self::Malformed(_) => Verdict::Malformed,
            Self::Unknown => Verdict::Unknown,
            Self::NotAllowed(_) => Verdict::NotAllowed,
            Self::Because(..) => Verdict::Refused,
            Self::TooLong(_) | Self::Store(_) => Verdict::Failed,
        }
    }

    /// Why a message that is refused so is kept, if it is.
    const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Malformed(_) => Some(Reason::Malformed),
            Self::Unknown => Some(Reason::Unknown),
            Self::NotAllowed(_) => Some(Reason::NotAllowed),
            Self::Because(..) | Self::TooLong(_) | Self::Store(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "malformed, {error}"),
            Self::Unknown => f.write_str("not known here"),
            Self::NotAllowed(when) => f.write_str(when),
            Self::Because(_, why) => f.write_str(why),
            Self::TooLong(error) => write!(f, "the answer cannot be written: {error}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<TooLong> for Refusal {
    fn from(error: TooLong) -> Self {
        Self::TooLong(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a function that answers may return.
pub(super) trait IntoAnswer<R> {
    fn into_answer(self) -> Result<Outcome<R>, Refusal>;
}

impl<R> IntoAnswer<R> for Outcome<R> {
    fn into_answer(self) -> Result<Outcome<R>, Refusal> {
        Ok(self)
    }
}

impl<R, E: Into<Refusal>> IntoAnswer<R> for Result<Outcome<R>, E> {
    fn into_answer(self) -> Result<Outcome<R>, Refusal> {
        self.map_err(Into::into)
    }
}

/// It takes note, and that is all.
impl<R> IntoAnswer<R> for () {
    fn into_answer(self) -> Result<Outcome<R>, Refusal> {
        Ok(Outcome::silence())
    }
}

impl<S: Caller, M: Message, R: Answer> Service<S, M, R> {
    /// Answers one message. What nobody can explain is kept for the Operator.
    pub(super) fn answer(&self, mut call: Call<'_, S, M>) -> Outcome<R> {
        let number = call.message.number();
        let row = self.rows.iter().find(|row| row.numbers.0 <= number && number <= row.numbers.1);
        let reply = row.map_or(Reply::Expected, |row| row.reply);
        let layout = row.map_or(Layout::Known, |row| row.layout);
        if layout == Layout::Guessed {
            self.log(&call, "its layout is a guess");
        }
        let answer = row.ok_or(Refusal::Unknown).and_then(|row| {
            row.who.check(&call)?;
            (row.run)(&mut call)
        });
        let (reason, outcome) = match answer {
            Ok(outcome) => (layout.reason(), outcome),
            Err(refusal) => (refusal.reason().or(layout.reason()), self.refused(&call, reply, &refusal)),
        };
        if let Some(reason) = reason {
            self.keep(&call, reason, &outcome);
        }
        outcome
    }

    /// Logs a refusal, and answers by it.
    fn refused(&self, call: &Call<'_, S, M>, reply: Reply, refusal: &Refusal) -> Outcome<R> {
        let number = call.message.number();
        let (service, caller) = ((self.name)(call.caller), &*call.caller);
        match refusal {
            Refusal::Store(error) => log::error!("{service}: cannot answer {number} of {caller}: {error}"),
            Refusal::TooLong(_) => log::error!("{service}: {caller} sent {number}: {refusal}"),
            Refusal::Because(..) => log::info!("{service}: {caller} sent {number}: refused, {refusal}"),
            Refusal::Malformed(_) | Refusal::Unknown | Refusal::NotAllowed(_) => {
                self.log(call, &refusal.to_string());
            }
        }
        let outcome = match reply {
            Reply::Expected => (self.refuse)(call, refusal),
            Reply::Never => Outcome::silence(),
        };
        Outcome { verdict: refusal.verdict(), ..outcome }
    }

    /// Keeps the first message of its kind, and counts.
    fn keep(&self, call: &Call<'_, S, M>, reason: Reason, outcome: &Outcome<R>) {
        let Call { game, caller, message, now } = call;
        let sender = Sender { service: (self.name)(caller), address: caller.address() };
        let told = || (caller.to_string(), in_words(outcome));
        game.world.unexpected.note(sender, message.kind(), reason, *now, || message.arrived(), told);
    }

    /// The line for what is not as it should be.
    fn log(&self, call: &Call<'_, S, M>, why: &str) {
        let Call { caller, message, .. } = call;
        let (service, number, size) = ((self.name)(caller), message.number(), message.size());
        log::info!("{service}: {caller} sent {number} of {size} bytes, {why}: {}", Hex(shown(*message)));
    }
}

/// What a message is answered.
pub(super) fn in_words<R: Answer>(outcome: &Outcome<R>) -> String {
    let names: Vec<String> = outcome.replies.iter().map(Answer::name).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    if outcome.close { format!("{names}, and the end of the connection") } else { names }
}

impl Who {
    fn check<S: Caller, M: Message>(self, call: &Call<'_, S, M>) -> Result<(), Refusal> {
        match self {
            Self::SignedIn | Self::Encrypted if !call.caller.is_signed_in() => {
                Err(Refusal::NotAllowed("before signing in"))
            }
            Self::Encrypted if !call.message.is_encrypted() => Err(Refusal::NotAllowed("in clear")),
            Self::Anyone | Self::SignedIn | Self::Encrypted => Ok(()),
        }
    }
}

/// The rows of an NPS service: `NUMBER: who, reply => method`. The method is given the body as the struct that the message
/// table has for the number; `relay` rows are given the packet. `guessed` and `opaque`: see [`Layout`].
macro_rules! rows {
    ($($first:ident $(..= $last:ident)?: $who:ident, $reply:ident $(, $layout:ident)? => $method:ident;)+) => {
        &[$($crate::services::dispatch::Row {
            numbers: (id::$first, $crate::services::dispatch::rows!(@last $first $($last)?)),
            who: $crate::services::dispatch::Who::$who,
            reply: $crate::services::dispatch::Reply::$reply,
            layout: $crate::services::dispatch::layout!($($layout)?),
            run: $crate::services::dispatch::rows!(@run $first $($last)? => $method),
        }),+]
    };
    (@last $first:ident) => { id::$first };
    (@last $first:ident $last:ident) => { id::$last };
    (@run $first:ident => $method:ident) => {
        |call| {
            let body = $crate::services::dispatch::GamePacket::packet(call.message).request::<{ id::$first.0 }>()?;
            $crate::services::dispatch::IntoAnswer::into_answer(call.$method(&body))
        }
    };
    (@run $first:ident $last:ident => $method:ident) => {
        |call| {
            let packet = $crate::services::dispatch::GamePacket::packet(call.message);
            $crate::services::dispatch::IntoAnswer::into_answer(call.$method(packet))
        }
    };
}
pub(super) use rows;

/// What a row says of its layout.
macro_rules! layout {
    () => {
        $crate::services::dispatch::Layout::Known
    };
    (guessed) => {
        $crate::services::dispatch::Layout::Guessed
    };
    (opaque) => {
        $crate::services::dispatch::Layout::Opaque
    };
}
pub(super) use layout;

/// One row of a table, for the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The number, or the first of several.
    pub first: u16,
    /// The last of several, inclusive; `first` again where there is only one.
    pub last: u16,
    /// Who may send it.
    pub who: Who,
    /// Whether it is answered.
    pub reply: Reply,
}

impl<S, M: Message<Number = nps::Id>, R> Service<S, M, R> {
    /// The table as numbers.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let rows = self.rows.iter();
        rows.map(|row| Listed {
            first: row.numbers.0.0,
            last: row.numbers.1.0,
            who: row.who,
            reply: row.reply,
        })
        .collect()
    }
}
