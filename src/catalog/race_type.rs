//! The kinds of races.

/// The kinds of races, with the Client's numbers (*documented*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RaceType {
    /// One player tries a car.
    TestDrive = 14,
    /// A race in the streets.
    Street = 16,
    /// A race in laps.
    Circuit = 17,
    /// A race over a quarter mile.
    Drag = 18,
    /// One player against the clock.
    TimeTrial = 19,
    /// Stunts with a borrowed car.
    ArcadeStunt = 23,
    /// Against the clock with a borrowed car.
    ArcadeTimeTrial = 25,
    /// Two players trade; to the Client that is a race too.
    TradeWindow = 26,
}

impl RaceType {
    /// The number in messages.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The kind with this number, if there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        use RaceType::{
            ArcadeStunt, ArcadeTimeTrial, Circuit, Drag, Street, TestDrive, TimeTrial, TradeWindow,
        };
        let all = [TestDrive, Street, Circuit, Drag, TimeTrial, ArcadeStunt, ArcadeTimeTrial, TradeWindow];
        all.into_iter().find(|kind| kind.number() == number)
    }

    /// Whether it is a race, with results, and no test drive or trade.
    pub const fn is_race(self) -> bool {
        !matches!(self, Self::TestDrive | Self::TradeWindow)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TestDrive => "test drive",
            Self::Street => "street race",
            Self::Circuit => "circuit race",
            Self::Drag => "drag race",
            Self::TimeTrial => "time trial",
            Self::ArcadeStunt => "stunt",
            Self::ArcadeTimeTrial => "arcade time trial",
            Self::TradeWindow => "trade",
        }
    }
}
