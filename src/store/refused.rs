//! Why something of clubs, turfs or race nights was not done.

use super::deals::DealError;
use super::error::StoreError;
use super::ledger::LedgerError;
use crate::public_text;
use std::borrow::Cow;
use std::fmt;

/// Why it was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CityError {
    /// A rule is against it: which, and what to do, in words for the player, without a full stop.
    Refused(Cow<'static, str>),
    /// The store failed.
    Store(StoreError),
}

impl CityError {
    /// There is no such persona any more.
    pub(super) const NOBODY: Self = Self::because("there is no such driver any more");

    pub(super) const fn because(why: &'static str) -> Self {
        Self::Refused(Cow::Borrowed(why))
    }
}

impl fmt::Display for CityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CityError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for CityError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for CityError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Store(error) => Self::Store(error),
            LedgerError::Overdrawn => Self::because("your driver has less money than that: earn some first"),
            LedgerError::TooRich => Self::because("your driver's bank holds no more money: spend some first"),
        }
    }
}

impl From<DealError> for CityError {
    fn from(error: DealError) -> Self {
        match error {
            DealError::Store(error) => Self::Store(error),
            error => Self::Refused(error.to_string().into()),
        }
    }
}

/// Refuses with these words unless it is so.
pub(super) fn ensure(is_so: bool, why: &'static str) -> Result<(), CityError> {
    if is_so { Ok(()) } else { Err(CityError::because(why)) }
}

/// A text that players type: on one line, without spaces at the ends, of so many characters that the game can show.
pub(super) fn tidy(text: &str, least: usize, most: usize, why: &'static str) -> Result<String, CityError> {
    let text = public_text::one_line(text).filter(|text| public_text::is_name(text));
    let text = text.ok_or(CityError::because(
        "use only letters of Western Europe, digits and signs that one can see: the game has no others",
    ))?;
    ensure((least..=most).contains(&text.chars().count()), why)?;
    Ok(text)
}
