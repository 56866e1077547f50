//! The 64 bytes with which a Client draws the car and the figure of another persona.

use super::super::bytes::layout;
use super::super::ids::{BrandedPartId, SkinId, VehicleId};
use crate::{Reader, Wire, Writer};

/// User data as it travels in 0x0103, 0x0204, 0x0211: stored and passed on byte for byte.
pub type UserData = [u8; 64];

layout! {
    /// What is known of the inside (values *captured*, names *seen in use*). Little-endian, unlike the packet around it.
    /// Only a simulated Client makes it; the Server passes it on untouched.
    pub struct Appearance {
        pub vehicle: VehicleId,
        pub model: BrandedPartId,
        /// Its paint; 0 until the Client has loaded the car.
        pub skin: SkinId,
        /// Model of the figure.
        pub driver: u32,
        /// ARGB.
        pub skin_color: u32,
        /// ARGB.
        pub hair_color: u32,
        /// ARGB.
        pub shirt_color: u32,
        /// ARGB.
        pub pants_color: u32,
        /// 0, then 2 when skin and car are known: "reload the car".
        pub car_changed: u8,
        /// Skin flags, padding, decals.
        pub decals: [u8; 7],
        /// 1 in the copies sent on 7003, 0 in those sent on room ports.
        pub lobby: u32,
        pub club: u32,
        /// Bit 0 in lobby, 1 in transition, 2 racing, 3 data valid.
        pub flags: u8,
        /// Speed, acceleration, handling, packed.
        pub performance: [u8; 4],
        pub points: u32,
        pub level: u16,
        /// Zeros.
        pub reserved: [u8; 5],
    }
}

impl Appearance {
    /// As it travels.
    pub fn to_user_data(&self) -> UserData {
        let mut writer = Writer::little();
        self.write(&mut writer);
        let bytes = writer.into_bytes();
        std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default())
    }

    /// From what travelled; all 64 byte patterns mean something.
    pub fn from_user_data(data: &UserData) -> Option<Self> {
        Self::read(&mut Reader::little(data)).ok()
    }
}
