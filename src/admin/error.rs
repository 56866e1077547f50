//! Why a request of the Server Operator was not done.

use super::kit::CertificateError;
use super::settings::SettingsError;
use crate::catalog::file::FileError;
use crate::public_text::ODD_LETTERS;
use crate::services::bans::BanRefused;
use crate::store::{
    AccountError, BackupPasswordError, BanError, CityError, DealError, GarageError, LedgerError, OpenError,
    OperatorError, PasswordError, PersonaError, StoreError,
};
use mco_proto::ids::BrandedPartId;
use mco_proto::session_key::KeyError;
use std::error::Error;
use std::fmt;

/// Why a request was not done, in one line. Nothing was changed, except where the line says so.
#[derive(Debug)]
pub enum RequestError {
    /// Nobody has an account of this name.
    NoSuchAccount(String),
    /// No persona has this name.
    NoSuchPersona(String),
    /// There is no race night of this number.
    NoSuchNight(u32),
    /// There is no login key, so there is no `pub.key`.
    NoLoginKey,
    /// There is no such lobby to race in.
    NoSuchLobby {
        /// The number that was given.
        wanted: u32,
        /// Numbers and tracks of those that are there.
        known: Vec<(u32, String)>,
    },
    /// Neither an account nor an address was named.
    NobodyNamed,
    /// What is given or taken has a reason, and money a sum.
    NoReason,
    /// The persona has no such car.
    NoSuchCar,
    /// There is no such car for sale.
    NoSuchModel(BrandedPartId),
    /// A text has characters that the game has not.
    OddLetters,
    /// A mail has a title and a text.
    EmptyMail,
    /// The title or the text is longer than the game's mails are.
    LongMail,
    /// There is no such ban.
    NoSuchBan,
    /// Only a running server can do this.
    NeedsRunningServer,
    /// This is not the name of a file that the command line and the server exchange.
    NoExchangeFile,
    /// The server would not start again.
    WouldNotStart(SettingsError),
    /// There is no imported catalogue in the data folder.
    NoImportedCatalog,
    /// It is done, but connections of the account could not be found, so they go on.
    ConnectionsStay(StoreError),
    /// What was asked from below refused.
    Cause(Cause),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchAccount(name) => {
                write!(f, "there is no account {name:?}: see all names with `mcos account list`, or on the page Accounts")
            }
            Self::NoSuchPersona(name) => {
                write!(f, "there is no persona {name:?}: see all names with `mcos persona list`")
            }
            Self::NoSuchNight(night) => {
                write!(f, "there is no race night {night}: see all numbers with `mcos event list`, or on the page Race nights")
            }
            Self::NoSuchLobby { wanted, known } => {
                write!(f, "there is no lobby {wanted} to race in, but these:")?;
                let mut before = " ";
                for (number, track) in known {
                    write!(f, "{before}{number} ({track})")?;
                    before = ", ";
                }
                Ok(())
            }
            Self::NoLoginKey => f.write_str("there is no login key yet: start the server once, which makes it"),
            Self::NobodyNamed => f.write_str("name an account, an address or both"),
            Self::NoReason => f.write_str("name a sum that is not 0, and a reason of one line"),
            Self::NoSuchCar => f.write_str(
                "the driver has no such car: see the numbers with `mcos persona show`, or on the page of the driver",
            ),
            Self::NoSuchModel(model) => write!(
                f,
                "there is no such car for sale as model {model}: see the numbers with `mcos catalog cars`, or choose it on the page of the driver"
            ),
            Self::OddLetters => f.write_str(ODD_LETTERS),
            Self::LongMail => f.write_str(
                "a title has at most 30 characters and a text 255, because the game shows no more: write less",
            ),
            Self::EmptyMail => f.write_str("a mail has a title and a text: write both"),
            Self::NoSuchBan => f.write_str("there is no such ban: see all bans with `mcos operator bans`, or on the page Bans"),
            Self::NeedsRunningServer => {
                f.write_str("only a running server can do this: start the server and try again")
            }
            Self::NoExchangeFile => f.write_str("this is not the name of a file to exchange"),
            Self::WouldNotStart(error) => {
                write!(f, "the server would not start again: {error}; correct it first")
            }
            Self::NoImportedCatalog => f.write_str(
                "there is no imported catalogue in the server's data folder: check that both use the same --data",
            ),
            Self::ConnectionsStay(why) => write!(
                f,
                "the change is saved, but the player's connections were not ended ({why}): restart the server to end them"
            ),
            Self::Cause(cause) => cause.fmt(f),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ConnectionsStay(why) => Some(why),
            Self::Cause(cause) => cause.source(),
            _ => None,
        }
    }
}

/// The errors that a request passes on in their own words.
macro_rules! causes {
    ($($error:ident),+ $(,)?) => {
        /// An error from below, told in its own words.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each is named as the error it holds")]
        pub enum Cause {
            $($error($error),)+
        }

        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$error(error) => error.fmt(f),)+
                }
            }
        }

        impl Cause {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                match self {
                    $(Self::$error(error) => error.source(),)+
                }
            }
        }

        $(impl From<$error> for RequestError {
            fn from(error: $error) -> Self {
                Self::Cause(Cause::$error(error))
            }
        })+
    };
}

causes!(
    AccountError,
    BackupPasswordError,
    BanError,
    BanRefused,
    CertificateError,
    CityError,
    DealError,
    FileError,
    GarageError,
    KeyError,
    LedgerError,
    OpenError,
    OperatorError,
    PasswordError,
    PersonaError,
    StoreError,
);
