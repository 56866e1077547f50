//! The switches of a race in one number.

use std::fmt;

/// How a race is driven: a bit for each switch (*documented*; [`Self::NIGHT`] *captured*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LobbyFlags(pub u32);

impl LobbyFlags {
    /// The other way round.
    pub const BACKWARD: Self = Self(0x01);
    /// Cars can be damaged.
    pub const DAMAGE: Self = Self(0x02);
    /// Left and right are exchanged.
    pub const MIRRORED: Self = Self(0x04);
    /// At night.
    pub const NIGHT: Self = Self(0x08);
    /// In the rain.
    pub const WEATHER: Self = Self(0x10);
    /// With other cars on the road.
    pub const TRAFFIC: Self = Self(0x20);
    /// Drag races: with a head start for the slower car.
    pub const HANDICAP: Self = Self(0x40);

    /// Whether all bits of `flag` are set.
    pub const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    /// Sets or clears the bits of `flag`.
    pub const fn set(&mut self, flag: Self, on: bool) {
        self.0 = if on { self.0 | flag.0 } else { self.0 & !flag.0 };
    }
}

impl fmt::Display for LobbyFlags {
    /// What is switched on, each behind a comma; bits without a name as a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        for (flag, name) in [
            (Self::BACKWARD, "backward"),
            (Self::DAMAGE, "damage"),
            (Self::MIRRORED, "mirrored"),
            (Self::NIGHT, "night"),
            (Self::WEATHER, "weather"),
            (Self::TRAFFIC, "traffic"),
            (Self::HANDICAP, "handicap"),
        ] {
            if self.has(flag) {
                rest.set(flag, false);
                write!(f, ", {name}")?;
            }
        }
        if rest.0 == 0 { Ok(()) } else { write!(f, ", {:#x}", rest.0) }
    }
}
