//! Numbers that name things, each with a type of its own. All are 32 bits wide on the wire.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An account, as every service after Login names it (the Client says "customer").
    CustomerId
);
id!(
    /// A persona: one of the players of an account. Lobby messages call it "user id". Never zero for a real one.
    PersonaId
);
id!(
    /// A shard (server world) in the shard list; comes back in persona requests.
    ShardId
);
id!(
    /// A channel ("riff") of one lobby or room server.
    CommId
);
id!(
    /// One part somebody owns. A car is a part too: see [`VehicleId`].
    PartId
);
id!(
    /// A car: the [`PartId`] of its root part.
    VehicleId
);
id!(
    /// A model of part or car in the Client's own catalogue.
    BrandedPartId
);
id!(
    /// A paint job in the Client's own catalogue.
    SkinId
);
id!(
    /// Who sells: a system persona that owns a car lot.
    DealerId
);
id!(
    /// A race: the server instance in the top byte (0 here), a counter below.
    RaceId
);

id!(
    /// A run of a race that was paid for and is not settled. Not on the wire; unlike a [`RaceId`] it is never given twice.
    BookingId
);

impl VehicleId {
    /// The root part of the car: the same number.
    pub const fn part(self) -> PartId {
        PartId(self.0)
    }
}
