//! Mail for personas. Only the server writes any yet.
//!
//! # Writing a mail about a change
//! ```text
//! mail::post(tx: &Transaction<'_>, to: PersonaId, letter: &Letter, now: Now) -> Result<(), StoreError>
//! ```
//! works inside any transaction, so that a mail about a change is there exactly if the change is. [`Mails::send`] is the
//! same by itself.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::records::mail::{Mail, MailEntry, Mailbox};
use super::table::Transaction;
use super::ticket::Changed;
use crate::clock::Now;
use mco_proto::ids::PersonaId;

/// How many mails a persona keeps. For one more the oldest that was read goes, or the oldest of all.
const MOST_MAILS: usize = 50;
/// The longest name of a sender, title and text, in characters (the Client's own tables hold no more: *documented*).
const LONGEST: (usize, usize, usize) = (50, 30, 255);
/// How long a mail is kept, in seconds: 90 days.
const KEPT_SECONDS: u32 = 90 * 24 * 60 * 60;
/// The beginning of 2020, in seconds since 1970: before it the clock is one that nobody has set, and mails of that time do not expire.
pub(super) const CLOCK_IS_SET: u32 = 1_577_836_800;
/// The sender of the city's news (*documented*).
const NEWS: PersonaId = PersonaId(12);

/// A mail to be sent. What is too long is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The persona that sends it.
    pub sender: PersonaId,
    /// The sender's name, at most 50 characters.
    pub sender_name: String,
    /// The subject, at most 30 characters.
    pub title: String,
    /// The text, at most 255 characters.
    pub text: String,
}

impl Letter {
    /// A mail from the server itself, sent as the city's news.
    pub fn city_news(title: &str, text: &str) -> Self {
        let (title, text) = (title.to_owned(), text.to_owned());
        Self { sender: NEWS, sender_name: "City News".to_owned(), title, text }
    }
}

/// The mail that every new persona gets.
pub(super) fn welcome(name: &str) -> Letter {
    let text = format!(
        "Good to see you, {name}. Your starter cash is in the bank: pick a car at a dealer's lot, \
         then meet the others in the lobby. What you win buys parts; what you wreck wants repair."
    );
    Letter::city_news("Welcome to the city", &text)
}

/// Puts a letter into the mailbox of a persona.
pub(super) fn post(tx: &Transaction<'_>, to: PersonaId, letter: &Letter, now: Now) -> Result<(), StoreError> {
    let now = now.unix32();
    let mut mailbox: Mailbox = tx.get(&key::mailbox(to))?.unwrap_or_default();
    let current: Vec<MailEntry> = mailbox.current(now).collect();
    for gone in mailbox.mails.iter().filter(|mail| !current.contains(mail)) {
        tx.remove(&key::mail(to, gone.number))?;
    }
    mailbox.mails = current;
    while mailbox.mails.len() >= MOST_MAILS {
        let at = mailbox.mails.iter().position(|mail| mail.read).unwrap_or(0);
        tx.remove(&key::mail(to, mailbox.mails.remove(at).number))?;
    }
    mailbox.last = mailbox.last.checked_add(1).ok_or(StoreError::NoMoreIds)?;
    let expires = if now < CLOCK_IS_SET { 0 } else { now.saturating_add(KEPT_SECONDS) };
    mailbox.mails.push(MailEntry { number: mailbox.last, read: false, expires });
    let cut = |text: &str, most| text.chars().take(most).collect();
    let mail = Mail {
        sender: letter.sender,
        sender_name: cut(&letter.sender_name, LONGEST.0),
        title: cut(&letter.title, LONGEST.1),
        text: cut(&letter.text, LONGEST.2),
        sent: now,
        expires,
    };
    tx.put(&key::mail(to, mailbox.last), &mail)?;
    tx.put(&key::mailbox(to), &mailbox)
}

/// Removes all mail of a persona that is deleted.
pub(super) fn empty(tx: &Transaction<'_>, of: PersonaId) -> Result<(), StoreError> {
    let mailbox: Mailbox = tx.get(&key::mailbox(of))?.unwrap_or_default();
    mailbox.mails.iter().try_for_each(|mail| tx.remove(&key::mail(of, mail.number)))?;
    tx.remove(&key::mailbox(of))
}

/// The verbs about mail. See [`Store::mails`].
#[derive(Clone, Copy, Debug)]
pub struct Mails<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about mail.
    pub fn mails(&self) -> Mails<'_> {
        Mails { store: self }
    }
}

impl Mails<'_> {
    /// Sends a mail to a persona; of 50 mails the oldest read one, or the oldest, makes room. To a persona that does not exist
    /// nothing is sent.
    pub fn send(&self, to: PersonaId, letter: &Letter, now: Now) -> Result<Changed<()>, StoreError> {
        self.store.change(|table| {
            table.transact(|tx| if tx.has(&key::persona(to))? { post(tx, to, letter, now) } else { Ok(()) })
        })
    }

    /// The mails of a persona that have not expired, oldest first.
    pub fn list(&self, of: PersonaId, now: Now) -> Result<Vec<MailEntry>, StoreError> {
        let mailbox = self.store.table().get::<Mailbox>(&key::mailbox(of))?;
        Ok(mailbox.map(|mailbox| mailbox.current(now.unix32()).collect()).unwrap_or_default())
    }

    /// One mail, and whether it was read.
    pub fn get(&self, of: PersonaId, number: u32, now: Now) -> Result<Option<(Mail, bool)>, StoreError> {
        let Some(entry) = self.list(of, now)?.into_iter().find(|mail| mail.number == number) else {
            return Ok(None);
        };
        let mail = self.store.table().get::<Mail>(&key::mail(of, number))?;
        Ok(mail.map(|mail| (mail, entry.read)))
    }

    /// Notes that a mail was read. One that is not there is ignored.
    pub fn mark_read(&self, of: PersonaId, number: u32) -> Result<Changed<()>, StoreError> {
        self.change(of, |_, mailbox| {
            if let Some(mail) = mailbox.mails.iter_mut().find(|mail| mail.number == number) {
                mail.read = true;
            }
            Ok(())
        })
    }

    /// Deletes a mail. One that is not there is ignored.
    pub fn delete(&self, of: PersonaId, number: u32) -> Result<Changed<()>, StoreError> {
        self.change(of, |tx, mailbox| {
            mailbox.mails.retain(|mail| mail.number != number);
            tx.remove(&key::mail(of, number))
        })
    }

    fn change(
        self,
        of: PersonaId,
        work: impl FnOnce(&Transaction<'_>, &mut Mailbox) -> Result<(), StoreError>,
    ) -> Result<Changed<()>, StoreError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let Some(mut mailbox) = tx.get::<Mailbox>(&key::mailbox(of))? else { return Ok(()) };
                work(tx, &mut mailbox)?;
                tx.put(&key::mailbox(of), &mailbox)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewPersona, Password};
    use mco_proto::ids::ShardId;
    use tempfile::TempDir;

    const DAY: u32 = 24 * 60 * 60;

    fn addressee() -> (TempDir, Store, PersonaId) {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let owner = store
            .accounts()
            .create("doc", &Password::new("garage").unwrap(), None, Now::read())
            .unwrap()
            .value;
        let new = NewPersona {
            name: "Dr Brown".to_owned(),
            shard: ShardId(44),
            id: None,
            starter_cash: 0,
            max_per_customer: 4,
        };
        let persona = store.personas().create(owner.customer_id, new, Now::read()).unwrap().value.id;
        (dir, store, persona)
    }

    fn numbers(store: &Store, of: PersonaId) -> Vec<u32> {
        store.mails().list(of, Now::read()).unwrap().iter().map(|mail| mail.number).collect()
    }

    fn letter(title: &str) -> Letter {
        Letter::city_news(title, "text")
    }

    #[test]
    fn a_new_persona_is_welcomed_and_its_mail_goes_with_it() {
        let (_dir, store, persona) = addressee();
        assert_eq!(numbers(&store, persona), [1]);
        let (mail, read) = store.mails().get(persona, 1, Now::read()).unwrap().unwrap();
        assert!(mail.text.contains("Dr Brown") && mail.text.len() < 255 && !read);
        assert_eq!(mail.sender, NEWS);
        let owner = store.personas().by_id(persona).unwrap().unwrap().customer_id;
        let _ = store.personas().delete(owner, persona, Now::read()).unwrap();
        assert!(numbers(&store, persona).is_empty());
        assert_eq!(store.mails().get(persona, 1, Now::read()).unwrap(), None);
        let _ = store.mails().send(persona, &letter("too late"), Now::read()).unwrap();
        assert!(numbers(&store, persona).is_empty());
    }

    #[test]
    fn the_oldest_that_was_read_makes_room_and_numbers_are_never_used_twice() {
        let (_dir, store, persona) = addressee();
        for _ in 0..49 {
            let _ = store.mails().send(persona, &letter("news"), Now::read()).unwrap();
        }
        assert_eq!(numbers(&store, persona), (1..=50).collect::<Vec<_>>());
        for read in [7, 9] {
            let _ = store.mails().mark_read(persona, read).unwrap();
        }
        for gone in [7, 9, 1, 2] {
            let _ = store.mails().send(persona, &letter("more"), Now::read()).unwrap();
            assert!(!numbers(&store, persona).contains(&gone));
            assert_eq!(store.mails().get(persona, gone, Now::read()).unwrap(), None);
            assert_eq!(numbers(&store, persona).len(), MOST_MAILS);
        }
        let _ = store.mails().delete(persona, 54).unwrap();
        let _ = store.mails().send(persona, &letter("last"), Now::read()).unwrap();
        assert_eq!(numbers(&store, persona).last(), Some(&55));
    }

    #[test]
    fn what_was_read_stays_so_and_what_is_deleted_is_gone_after_a_restart() {
        let (dir, store, persona) = addressee();
        let _ = store.mails().send(persona, &letter("second"), Now::read()).unwrap();
        let _ = store.mails().mark_read(persona, 1).unwrap();
        let _ = store.mails().delete(persona, 2).unwrap();
        let _ = store.mails().delete(persona, 4711).unwrap();
        let _ = store.mails().mark_read(PersonaId(4711), 1).unwrap();
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(numbers(&store, persona), [1]);
        assert!(store.mails().get(persona, 1, Now::read()).unwrap().unwrap().1);
    }

    #[test]
    fn mails_expire_but_not_those_of_a_clock_that_nobody_set() {
        let (_dir, store, persona) = addressee();
        let _ = store.mails().delete(persona, 1).unwrap();
        let sent = |title: &str, at: u32| {
            let now = Now { unix: at.into(), ..Now::read() };
            let posted = store.change(|table| table.transact(|tx| post(tx, persona, &letter(title), now)));
            let _: Result<Changed<()>, StoreError> = posted;
        };
        let today = CLOCK_IS_SET + 1000 * DAY;
        let listed = |at: u32| {
            let now = Now { unix: at.into(), ..Now::read() };
            store.mails().list(persona, now).unwrap().len()
        };
        sent("before the clock was set", 17);
        sent("today", today);
        assert_eq!((listed(today), listed(today + 89 * DAY), listed(today + 91 * DAY)), (2, 2, 1));
        sent("much later", today + 100 * DAY);
        assert_eq!(listed(today), 2, "the expired one was removed");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let (_dir, store, persona) = addressee();
        let long = "x".repeat(5000);
        let long = Letter { sender: NEWS, sender_name: long.clone(), title: long.clone(), text: long };
        let _ = store.mails().send(persona, &long, Now::read()).unwrap();
        let (mail, _) = store.mails().get(persona, 2, Now::read()).unwrap().unwrap();
        assert_eq!((mail.sender_name.len(), mail.title.len(), mail.text.len()), LONGEST);
    }
}
