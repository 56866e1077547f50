//! Turns for work that takes long on purpose or by nature: passwords, handshakes, and pages that read much. Few at a time, so that those who race have the
//! machine; who comes from one address takes turns with all other addresses, so that nobody can push others out of the line.
//! For passwords, addresses whose last ones were right go first, and who gave a wrong one lately waits behind all others.

use crate::clock::Now;
use crate::world::{PasswordHistory, Source, Standing};
use smol::channel::{self, Sender};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many passwords may wait for their turn. The wait is for seconds at most, after which Clients give up anyhow.
const MOST_PASSWORDS: usize = 256;

/// What a turn is for. Each has a line of its own, and the lines take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A password is checked or hashed.
    Password,
    /// A Session Key is opened, for who logs in on 8226. As many may wait as are connected.
    Login,
    /// The server's part of a handshake of TLS. As many may wait as are connected.
    Handshake,
    /// A page that reads much of the store, or a kit. As many may wait as are connected.
    Page,
}

impl Work {
    const KINDS: usize = 4;

    const fn most_waiting(self) -> usize {
        match self {
            Self::Password => MOST_PASSWORDS,
            Self::Login | Self::Handshake | Self::Page => usize::MAX,
        }
    }
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many turns there may be at the same time.
    at_once: usize,
    taken: usize,
    lines: [Line; Work::KINDS],
    /// The line that has been served last.
    last: usize,
    /// How the last passwords of each address went.
    history: Arc<PasswordHistory>,
    /// How often somebody was sent away because too many waited.
    sent_away: u64,
}

/// Who waits for one kind of work.
#[derive(Debug, Default)]
struct Line {
    /// Addresses in the order in which they are served; each that has somebody waiting is there once.
    order: VecDeque<Source>,
    waiting: HashMap<Source, VecDeque<Sender<Turn>>>,
    count: usize,
}

/// The right to work now. The next has its turn when this is dropped.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// Turns of which so many may be taken at the same time.
    pub(super) fn new(at_once: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            at_once,
            taken: 0,
            lines: Default::default(),
            last: 0,
            history: Arc::default(),
            sent_away: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on so many may be taken at the same time.
    pub(super) fn allow(self: &Arc<Self>, at_once: usize) {
        self.state().at_once = at_once;
        self.hand_on();
    }

    /// From now on who waits for passwords is served in the order of how their addresses stand there.
    pub(super) fn order_by(&self, history: Arc<PasswordHistory>) {
        self.state().history = history;
    }

    /// How many wait for each kind of work.
    pub(super) fn waiting(&self) -> [(&'static str, usize); Work::KINDS] {
        let [passwords, logins, handshakes, pages] = self.state().lines.each_ref().map(|line| line.count);
        [("password", passwords), ("login", logins), ("handshake", handshakes), ("page", pages)]
    }

    /// How often somebody was sent away because too many waited.
    pub(super) fn sent_away(&self) -> u64 {
        self.state().sent_away
    }

    /// Waits for a turn. `None`: too many wait, and nobody gives way to `from`. In a full line an address gives way to any that
    /// stands better by its passwords, and to one that stands as it does and has fewer waiting, but never the other way round. Of who has
    /// most and is served last, the one who came last gives way, and gets `None`.
    pub(super) async fn wait(self: &Arc<Self>, work: Work, from: IpAddr) -> Option<Turn> {
        let (sender, turn) = channel::bounded(1);
        let joined = self.state().join(work, Source::of(from), sender);
        if joined {
            self.hand_on();
        }
        // Whoever has no place in the line, or loses it, has lost the other end of the channel.
        let turn = turn.recv().await.ok();
        if turn.is_none() {
            self.state().sent_away += 1;
        }
        turn
    }

    /// Gives turns to who waits, as many as there may be.
    fn hand_on(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            if state.taken >= state.at_once {
                return;
            }
            let Some(next) = state.next() else { return };
            state.taken += 1;
            drop(state);
            if let Err(gone) = next.try_send(Turn(Some(Arc::clone(self)))) {
                // Not by dropping it: that would come back here.
                gone.into_inner().0 = None;
                self.state().taken -= 1;
            }
        }
    }
}

impl State {
    fn join(&mut self, work: Work, from: Source, turn: Sender<Turn>) -> bool {
        let (history, now) = (Arc::clone(&self.history), Now::read());
        let Some(line) = self.lines.get_mut(work as usize) else { return false };
        line.join(from, turn, work.most_waiting(), |source| history.standing(source, now))
    }

    /// Who has waited for the next turn.
    fn next(&mut self) -> Option<Sender<Turn>> {
        let (last, history, now) = (self.last, Arc::clone(&self.history), Now::read());
        // Only that line is short enough to be looked through, and only there it matters.
        let standing = |kind, source| {
            if kind == Work::Password as usize { history.standing(source, now) } else { Standing::Unknown }
        };
        let mut kinds = (1..=Work::KINDS).map(|step| (last + step) % Work::KINDS);
        let (kind, next) = kinds.find_map(|kind| {
            let line = self.lines.get_mut(kind)?;
            Some((kind, line.next(|source| standing(kind, source))?))
        })?;
        self.last = kind;
        Some(next)
    }
}

impl Line {
    /// Takes a place, if there is one or somebody gives way. Who has the worst `standing` gives way first.
    fn join(
        &mut self,
        from: Source,
        turn: Sender<Turn>,
        most: usize,
        standing: impl Fn(Source) -> Standing,
    ) -> bool {
        if self.count >= most {
            let rank = |source| (standing(source), self.waiting.get(&source).map_or(0, VecDeque::len));
            let own = rank(from);
            let longest = self.order.iter().map(|source| (rank(*source), *source)).max_by_key(|one| one.0);
            let Some((_, longest)) = longest.filter(|(rank, _)| *rank > own) else { return false };
            self.send_away_newest(longest);
        }
        let turns = self.waiting.entry(from).or_default();
        if turns.is_empty() {
            self.order.push_back(from);
        }
        turns.push_back(turn);
        self.count += 1;
        true
    }

    /// The next of the addresses with the best `standing`.
    fn next(&mut self, standing: impl Fn(Source) -> Standing) -> Option<Sender<Turn>> {
        // Of equals the first.
        let (place, _) = self.order.iter().enumerate().min_by_key(|(_, source)| standing(**source))?;
        let from = self.order.remove(place)?;
        let turns = self.waiting.get_mut(&from)?;
        let turn = turns.pop_front();
        self.count = self.count.saturating_sub(1);
        if turns.is_empty() {
            self.waiting.remove(&from);
        } else {
            self.order.push_back(from);
        }
        turn
    }

    fn send_away_newest(&mut self, from: Source) {
        let Some(turns) = self.waiting.get_mut(&from) else { return };
        turns.pop_back();
        self.count = self.count.saturating_sub(1);
        if turns.is_empty() {
            self.waiting.remove(&from);
            self.order.retain(|source| *source != from);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.state().taken -= 1;
            turns.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};
    use std::net::Ipv4Addr;
    use std::pin::Pin;

    type Waiting = Pin<Box<dyn Future<Output = Option<Turn>>>>;

    fn host(n: u8) -> IpAddr {
        Ipv4Addr::new(192, 168, 1, n).into()
    }

    /// Somebody who waits in the line already, or has the answer already.
    #[allow(clippy::option_option, reason = "waits, is sent away, or has its turn")]
    fn join(turns: &Arc<Turns>, work: Work, from: IpAddr) -> (Waiting, Option<Option<Turn>>) {
        let turns = Arc::clone(turns);
        let mut waiting: Waiting = Box::pin(async move { turns.wait(work, from).await });
        let answer = block_on(poll_once(&mut waiting));
        (waiting, answer)
    }

    /// The names of those who wait, in the order of their turns.
    fn order(turn: Turn, mut waiting: Vec<(&'static str, Waiting)>) -> Vec<&'static str> {
        let (mut order, mut turn) = (Vec::new(), Some(turn));
        loop {
            drop(turn.take());
            let mut served = None;
            for (place, (name, one)) in waiting.iter_mut().enumerate() {
                if let Some(answer) = block_on(poll_once(one)) {
                    served = Some((place, *name, answer));
                    break;
                }
            }
            let Some((place, name, answer)) = served else { return order };
            drop(waiting.remove(place));
            order.push(if answer.is_some() { name } else { "sent away" });
            turn = answer;
        }
    }

    fn first(turns: &Arc<Turns>) -> Turn {
        join(turns, Work::Password, host(250)).1.flatten().unwrap()
    }

    #[test]
    fn addresses_take_turns_whoever_came_first() {
        let turns = Turns::new(1);
        let turn = first(&turns);
        let waiting = [("flood", 1), ("flood", 1), ("flood", 1), ("ann", 2), ("flood", 1), ("bob", 3)];
        let waiting = waiting.map(|(name, from)| (name, join(&turns, Work::Password, host(from)).0));
        let served = order(turn, waiting.into_iter().collect());
        assert_eq!(served, ["flood", "ann", "bob", "flood", "flood", "flood"]);
        assert_eq!(turns.state().taken, 0);
    }

    #[test]
    fn a_full_line_has_a_place_for_who_has_fewer_in_it_and_the_greediest_gives_way() {
        let turns = Turns::new(1);
        let turn = first(&turns);
        // A host with both families of addresses.
        let greedy = [host(1), "fd00::1".parse().unwrap()];
        let mut flood: Vec<_> =
            (0..MOST_PASSWORDS).map(|n| join(&turns, Work::Password, greedy[n % 2]).0).collect();
        assert!(matches!(join(&turns, Work::Password, greedy[0]).1, Some(None)), "no more of its own");
        let (honest, answer) = join(&turns, Work::Password, host(2));
        assert!(answer.is_none(), "waits");
        let sent_away =
            flood.iter_mut().filter_map(|one| block_on(poll_once(one))).filter(Option::is_none).count();
        assert_eq!((sent_away, turns.state().lines[0].count), (1, MOST_PASSWORDS));
        assert_eq!((turns.sent_away(), turns.waiting()[0]), (2, ("password", MOST_PASSWORDS)));
        let _ = flood.drain(..flood.len() - 4);
        assert!(order(turn, vec![("honest", honest)]).contains(&"honest"));
    }

    #[test]
    fn a_hundred_friends_at_once_all_get_their_turn() {
        let turns = Turns::new(1);
        let turn = first(&turns);
        let friends: Vec<_> =
            (1..=200).map(|n| ("friend", join(&turns, Work::Password, host(n)).0)).collect();
        assert_eq!(order(turn, friends), ["friend"; 200]);
    }

    /// The addresses 1 to `count` have given a wrong password.
    fn guessed(turns: &Arc<Turns>, count: u8) -> Arc<PasswordHistory> {
        let history = Arc::new(PasswordHistory::default());
        (1..=count).for_each(|n| history.note(host(n), false, Now::read()));
        turns.order_by(Arc::clone(&history));
        history
    }

    #[test]
    fn who_gave_no_wrong_password_is_served_before_all_who_guess() {
        let turns = Turns::new(1);
        let turn = join(&turns, Work::Password, host(255)).1.flatten().unwrap();
        let history = guessed(&turns, 250);
        let guess = |n| ("guess", join(&turns, Work::Password, host(n)).0);
        let mut waiting: Vec<_> = (1..=250).map(guess).collect();
        waiting.push(("ann", join(&turns, Work::Password, host(251)).0));
        waiting.push(("bob", join(&turns, Work::Password, host(252)).0));
        waiting.push(("ann", join(&turns, Work::Password, host(251)).0));
        // His next password was right.
        history.note(host(250), true, Now::read());
        waiting[249].0 = "carl";
        let served = order(turn, waiting);
        assert_eq!(served[..4], ["carl", "ann", "bob", "ann"]);
        assert_eq!(served[4..], ["guess"; 249]);
    }

    #[test]
    fn whose_last_passwords_were_right_is_served_before_a_crowd_of_strangers_and_gives_way_to_none() {
        let turns = Turns::new(1);
        let turn = join(&turns, Work::Password, host(255)).1.flatten().unwrap();
        let history = Arc::new(PasswordHistory::default());
        history.note(host(0), true, Now::read());
        turns.order_by(history);
        let join = |n| join(&turns, Work::Password, host(n));
        let place = |n: usize| u8::try_from(1 + n % 200).unwrap();
        let mut waiting: Vec<_> = (0..MOST_PASSWORDS).map(|n| ("stranger", join(place(n)).0)).collect();
        waiting.extend([("ann", join(0).0), ("ann", join(0).0)]);
        assert!(join(201).1.is_none(), "a stranger with fewer waiting has the place of another");
        waiting.retain_mut(|(_, one)| block_on(poll_once(one)).is_none());
        assert_eq!(turns.sent_away(), 3);
        let served = order(turn, waiting);
        assert_eq!(served[..2], ["ann", "ann"]);
        assert_eq!(served[2..], ["stranger"; MOST_PASSWORDS - 3]);
    }

    #[test]
    fn a_password_that_proves_wrong_puts_back_what_waits_from_there_already() {
        let turns = Turns::new(1);
        let turn = first(&turns);
        let names = [("guess", 1), ("guess", 1), ("ann", 2), ("ann", 2)];
        let waiting = names.map(|(name, from)| (name, join(&turns, Work::Password, host(from)).0));
        guessed(&turns, 1);
        assert_eq!(order(turn, waiting.into_iter().collect()), ["ann", "ann", "guess", "guess"]);
    }

    #[test]
    fn in_a_full_line_who_guesses_gives_way_and_nobody_to_who_guesses() {
        let turns = Turns::new(1);
        let turn = join(&turns, Work::Password, host(255)).1.flatten().unwrap();
        guessed(&turns, 200);
        let join = |n| join(&turns, Work::Password, host(n));
        let mut guesses: Vec<_> = (1..=200).map(|n| join(n).0).collect();
        // More of one address than of any that guesses.
        let mut friends: Vec<_> = (0..MOST_PASSWORDS - 200).map(|_| join(201).0).collect();
        let sent_away = |waiting: &mut Vec<Waiting>| {
            let before = waiting.len();
            waiting.retain_mut(|one| block_on(poll_once(one)).is_none());
            before - waiting.len()
        };
        for n in 1..=200 {
            assert!(matches!(join(n).1, Some(None)), "nobody gives way to who guesses");
        }
        for n in 0..200 {
            friends.push(join(202 + n % 40).0);
            assert_eq!((sent_away(&mut guesses), sent_away(&mut friends)), (1, 0));
        }
        assert!(guesses.is_empty());
        let (_late, answer) = join(250);
        assert!(answer.is_none(), "waits");
        assert_eq!(sent_away(&mut friends), 1, "of the address that has most");
        assert_eq!(turns.state().lines[0].count, MOST_PASSWORDS);
        drop(friends);
        drop(turn);
    }

    #[test]
    fn each_kind_of_work_has_a_line_of_its_own_and_they_take_turns() {
        let turns = Turns::new(1);
        let turn = first(&turns);
        let kinds =
            [Work::Password, Work::Password, Work::Password, Work::Login, Work::Login, Work::Handshake];
        let names = ["password", "password", "password", "login", "login", "handshake"];
        let waiting = names.into_iter().zip(kinds).enumerate();
        let from = |n: usize| host(u8::try_from(n).unwrap());
        let waiting = waiting.map(|(n, (name, kind))| (name, join(&turns, kind, from(n)).0)).collect();
        assert_eq!(order(turn, waiting), ["login", "handshake", "password", "login", "password", "password"]);
    }

    #[test]
    fn no_more_work_at_once_than_allowed_and_who_has_gone_takes_no_turn() {
        let turns = Turns::new(2);
        let (one, two) = (first(&turns), first(&turns));
        let (gone, mut waits) = (join(&turns, Work::Login, host(1)).0, join(&turns, Work::Login, host(2)).0);
        drop(gone);
        turns.allow(1);
        drop(one);
        assert!(block_on(poll_once(&mut waits)).is_none(), "one is enough while races run");
        drop(two);
        let third = block_on(poll_once(&mut waits)).flatten().unwrap();
        assert_eq!(turns.state().taken, 1);
        let (received_and_gone, answer) = join(&turns, Work::Login, host(3));
        assert!(answer.is_none());
        drop(third);
        // It has its turn, but never looks.
        drop(received_and_gone);
        assert_eq!(turns.state().taken, 0);
    }
}
