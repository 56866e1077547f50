//! What survives a reboot: accounts, personas, cars, parts and keys. The only module that names sled.
//!
//! Callers see verbs: [`Store::accounts`], [`Store::garage`] and so on. A verb that changes something is complete for every reader when it returns, and gives a
//! [`Ticket`] which resolves when the change has survived a power cut; whoever answers a Client awaits it first.
//!
//! In the data directory lie `database/` (sled's own), `backup.mcos` (all records in one file, written at most once a
//! minute and when the store is closed) and `store.lock`. A database that cannot be read is set aside and rebuilt
//! from the backup; see [`Store::open`]. While the card is full or read-only, changes are refused and reads go on; see
//! [`Store::trouble`].
//!
//! # Errors
//! Every verb fails with [`StoreError`], or has it among its own errors, if the engine cannot read, if a record is damaged
//! or of a newer program, and a verb that changes something also if no change is accepted. A verb that fails has changed
//! nothing.

mod accounts;
mod audit;
mod backup;
mod backups;
mod badges;
mod bans;
mod bookings;
mod books;
mod check;
mod city_key;
mod clubs;
mod commit;
mod contests;
mod corrections;
mod data_dir;
mod deal_key;
mod deals;
mod engine;
mod error;
mod free_space;
mod garage;
mod giving;
mod handle;
mod headlines;
mod journal;
mod key;
mod keys;
mod ledger;
mod mail;
mod names;
mod nights;
mod offices;
mod open;
mod operator;
mod ownership;
mod password;
mod patch_path;
mod patch_set;
mod personas;
mod pre_images;
mod property;
mod proven;
mod race_damage;
mod races;
mod record;
mod records;
mod refused;
mod removal;
mod restore;
mod results;
pub mod rotation;
mod salary;
mod sealed;
mod seasons;
mod side_files;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;
mod ticket;
mod transaction;
mod turfs;
mod uncounted;
mod view;
mod week;
mod weekly;

pub use accounts::{AccountError, Accounts, MOST_ACCOUNTS, check_name as check_account_name};
pub use audit::Audit;
pub use bans::{BanError, Bans};
pub use clubs::{ClubRules, Clubs, MOST_CLUBS, NewClub, REGISTERED_WEEKS};
pub use deals::{
    BidOutcome, DealError, DealRules, Deals, Expected, LAST_SECONDS, LONGEST_HOURS, Listed,
    MOST_AUCTIONS_EACH, MOST_BIDS_EACH, MOST_DEALS, MOST_MUTED, MOST_TRADED, MOST_TRADES_EACH, NewAd,
    NewAuction, OwnDeals,
};
pub use error::{BackupPasswordError, Lock, OpenError, StoreError};
pub use garage::aid::Belongings;
pub use garage::furnish::Addition;
pub use garage::given::Paint;
pub use garage::shop::{PartPurchase, Terms};
pub use garage::workshop::{Fits, Price};
pub use garage::{CarPurchase, Garage, GarageError, NewPart};
pub use handle::Store;
pub use keys::Keys;
pub use ledger::{Difference, Entry, Ledger, LedgerError, LedgerReport, Problem};
pub use mail::{Letter, Mails};
pub use nights::{Host, MOST_ENTRIES, MOST_PRIZES, NIGHT_POINTS, Nights, Turned};
pub use offices::{AUCTION_HOUSE, ESCROW, JUNKYARD, Office};
pub use operator::{OperatorError, OperatorPassword, OperatorStore};
#[cfg(test)]
pub(crate) use password::tests::EVALUATIONS;
pub use password::{Password, PasswordError};
pub use patch_path::{BEFORE, PatchPath};
pub use patch_set::{
    MAX_PATCH_FILE, MAX_PATCH_FILES, MAX_PATCH_IN_BACKUP, MAX_PATCH_SET, PatchError, PatchFile, PatchSet,
};
pub use personas::{NewPersona, PersonaError, Personas};
pub use property::Misplaced;
pub use races::{Entrant, Payout, RaceError, Races, Settled, Settlement};
pub use records::account::{Account, Ban, BanTarget};
pub use records::audit::AuditEntry;
pub use records::club::{Club, ClubTotals, Member, Membership, Rank};
pub use records::contest::{
    Badge, BadgeKind, Headline, RewardBoard, Rewarded, Season, Standing, TurfClub, TurfWeek, WeekRewards,
};
pub use records::deal::{Ad, AdCategory, Auction, Bid, Goods, Item, Offered, Side, Trade};
pub use records::ledger::{Kind, Line};
pub use records::mail::{Mail, MailEntry};
pub use records::night::{Night, NightEntry, NightOutcome, NightPlan, Prize};
pub use records::persona::{Persona, Physical, Plate, RaceRecord};
pub use records::race::UncountedResults;
pub use records::result::{
    ClassTotals, Course, CourseRecord, CourseTime, OwnTime, PersonaResults, PersonaTotals, RaceResult,
    RaceTerms, RaceTotals, RacerResult, WeekTotals,
};
pub use records::vehicle::{Part, Vehicle};
pub use refused::CityError;
pub use restore::Contents;
pub use results::{MOST_RESULTS, Results, Sheet};
pub use sealed::BackupPassword;
pub use seasons::{SEASON_POINTS, Seasons};
#[cfg(test)]
pub(crate) use tests::records;
pub use ticket::{Changed, Ticket};
pub use turfs::{POINTS as TURF_POINTS, Turfs};
pub use uncounted::Uncounted;
pub use weekly::{RewardTable, Rewards};
