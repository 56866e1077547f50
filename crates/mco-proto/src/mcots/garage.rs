//! Cars and parts.

use crate::bytes::{Bool16, List, Malformed, PagedList, Reader, Rest, Wire, Writer};
use crate::ids::{BrandedPartId, DealerId, PartId, PersonaId, SkinId, VehicleId};
use crate::layout;

/// The size of the body damage in [`VehicleInfo`], in bytes.
pub const DAMAGE: usize = 2000;
/// The most parts of a car that are sent; a stock car has about 40.
pub const MOST_PARTS: usize = 2000;
/// The most records of a list that counts them in one byte.
pub const MOST_SHORT: usize = 255;
/// The most cars a dealer shows; another server kept to the same bound (*seen in use*).
pub const MOST_STOCK: usize = 100;

layout! {
    /// 173, Server to Client (*captured*).
    pub struct OwnedVehicles {
        pub vehicles: List<u8, OwnedVehicle, MOST_SHORT>,
    }

    /// 175, Server to Client (*captured* empty): parts in the garage, not in a car.
    pub struct OwnedParts {
        pub owner: PersonaId,
        pub parts: List<u8, PricedPart, MOST_SHORT>,
    }

    /// 184, Server to Client (*seen in use*): a car or assembly, its root first, then what hangs below it.
    pub struct AssemblyParts {
        pub owner: PersonaId,
        pub parts: List<u8, PricedPart, MOST_SHORT>,
    }

    /// 123, Server to Client (*captured*). The sources disagree whether the damage is a counted field or always 2,000
    /// bytes; with a count of 2,000 both read the same.
    pub struct VehicleInfo {
        pub owner: PersonaId,
        pub vehicle: VehicleId,
        pub skin: SkinId,
        /// 0; 1 on cars sold rusty (*seen in use*).
        pub flags: u32,
        /// Counts the changes of this car.
        pub delta: u32,
        /// 0 none, 1 fat fender, 2 shoebox, 3 muscle.
        pub car_class: u8,
        /// Dents as the Client reported them: see [`VehicleInfo::dents`].
        pub damage: List<u16, u8, DAMAGE>,
        /// Every part but the root.
        pub parts: List<u16, CarPart, MOST_PARTS>,
    }

    /// 141, Server to Client (*seen in use*).
    pub struct StockCarInfo {
        /// What a new persona starts with, in dollars.
        pub starter_cash: u32,
        /// As asked.
        pub dealer: DealerId,
        /// As asked; 0 is every brand.
        pub brand: u32,
        /// What is on offer.
        pub cars: PagedList<StockCar, MOST_STOCK>,
    }

    /// 142, Client to Server (*seen in use*), 18 bytes with the number.
    pub struct PurchaseStockCar {
        /// Who sells it.
        pub dealer: DealerId,
        pub model: BrandedPartId,
        /// Its paint; 0 leaves it to the dealer.
        pub skin: SkinId,
        /// The car given in part payment; 0 is none.
        pub trade_in: VehicleId,
    }

    /// 178, Client to Server (*seen in use*): repairs everything that is fixed to a car or a loose part.
    pub struct RepairMultipleParts {
        /// The car or part.
        pub data: u32,
        /// 0.
        pub data2: u32,
        /// Nothing was ever seen here.
        pub more: Rest,
    }

    /// 181, Client to Server (*seen in use*), 14 bytes with the number.
    pub struct InstallPart {
        pub part: PartId,
        /// What it is to sit in.
        pub parent: PartId,
        /// Where on it.
        pub point: AttachmentPoint,
    }
}

/// Where on its parent a part is to sit. How wide the number is differs between the sources, so the length of the body
/// says it: 4, 2 or 1 bytes; without any it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct AttachmentPoint(pub u32);

impl Wire for AttachmentPoint {
    const MOST_BYTES: usize = u32::MOST_BYTES;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(match *reader.rest() {
            [a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]),
            [a, b, ..] => u16::from_le_bytes([a, b]).into(),
            [a] => a.into(),
            [] => 0,
        }))
    }
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

layout! {
    /// One car of [`OwnedVehicles`].
    pub struct OwnedVehicle {
        pub vehicle: VehicleId,
        pub model: BrandedPartId,
    }

    /// A part, 26 bytes (*captured*).
    pub struct CarPart {
        pub part: PartId,
        /// What it sits in; 0 for a loose part.
        pub parent: PartId,
        /// What kind it is.
        pub branded_part: BrandedPartId,
        /// Dollars.
        pub repair_price: u32,
        /// Dollars.
        pub junk_price: u32,
        /// 0 new; see `max_wear` in [`PricedPart`].
        pub wear: u32,
        /// Where on its parent: 0 default, 10 front, 11 rear (*captured*).
        pub attachment_point: u8,
        /// Percent.
        pub damage: u8,
    }

    /// A part with two more numbers, 34 bytes (*seen in use*; never captured).
    pub struct PricedPart {
        pub part: CarPart,
        /// Dollars, new.
        pub retail_price: u32,
        /// Wear at which it is worn out.
        pub max_wear: u32,
    }

    /// One car of [`StockCarInfo`].
    pub struct StockCar {
        pub model: BrandedPartId,
        /// Dollars, with the discount of the day already taken off.
        pub price: u32,
        /// Whether it is the deal of the day.
        pub deal_of_the_day: Bool16,
    }
}

impl VehicleInfo {
    /// The damage field for what is known of the dents: always all 2,000 bytes.
    pub fn dents(known: &[u8]) -> List<u16, u8, DAMAGE> {
        List::first_n(known.iter().copied().chain(std::iter::repeat(0)).take(DAMAGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcots::Message;
    use crate::mcots::message::vector;

    fn shock() -> CarPart {
        CarPart {
            part: PartId(9),
            parent: PartId(2),
            branded_part: BrandedPartId(11004),
            repair_price: 0,
            junk_price: 0,
            wear: 0,
            attachment_point: 10,
            damage: 0,
        }
    }

    #[test]
    fn owned_cars_are_the_captured_ones() {
        let body = vector("ad00 01 01000000 68000000");
        let cars = OwnedVehicles {
            vehicles: List::first_n([OwnedVehicle { vehicle: VehicleId(1), model: BrandedPartId(104) }]),
        };
        assert_eq!(cars.body(), body);
        // The captured body had a zero byte behind it.
        assert_eq!(vector("ad00 01 01000000 68000000 00").read(), Ok(cars));
    }

    #[test]
    fn an_empty_garage_is_the_captured_one_and_a_part_takes_34_bytes() {
        let mut garage = OwnedParts { owner: PersonaId(21), parts: List::first_n([]) };
        assert_eq!(garage.body(), vector("af00 15000000 00"));
        garage.parts = List::first_n([PricedPart { part: shock(), retail_price: 42, max_wear: 30_000 }]);
        assert_eq!(garage.body().0.len(), 7 + 34);
        let assembly = AssemblyParts { owner: garage.owner, parts: garage.parts.clone() };
        assert_eq!(assembly.body().0[2..], garage.body().0[2..]);
    }

    #[test]
    fn a_car_reads_the_same_with_counted_and_with_fixed_damage() {
        let car = VehicleInfo {
            owner: PersonaId(21),
            vehicle: VehicleId(1),
            skin: SkinId(47),
            flags: 0,
            delta: 0,
            car_class: 2,
            damage: VehicleInfo::dents(&[1, 2]),
            parts: List::first_n([shock()]),
        };
        let body = car.body();
        assert_eq!(body.0[..23], vector("7b00 15000000 01000000 2f000000 00000000 00000000 02").0);
        assert_eq!(body.0[23..28], [0xd0, 0x07, 1, 2, 0]);
        assert_eq!(body.0[2025..2027], [1, 0]);
        // A part as captured.
        assert_eq!(body.0[2027..], vector("09000000 02000000 fc2a0000 00000000 00000000 00000000 0a 00").0);
        assert_eq!(body.read(), Ok(car));
    }

    #[test]
    fn a_purchase_and_its_answer_look_as_seen() {
        use crate::mcots::reply::{car_bought, part_bought};
        let purchase = PurchaseStockCar {
            dealer: DealerId(8),
            model: BrandedPartId(104),
            skin: SkinId(47),
            trade_in: VehicleId(0),
        };
        assert_eq!(purchase.body(), vector("8e00 08000000 68000000 2f000000 00000000"));
        assert_eq!(car_bought(VehicleId(1000)), vector("6700 8e00 65000000 e8030000 00000000"));
        assert_eq!(part_bought(PartId(7)), vector("6500 b000 07000000 07000000 00000000"));
    }

    #[test]
    fn where_a_part_goes_is_read_in_any_width() {
        for (tail, point) in
            [("0b000000", 11), ("0b0000", 11), ("0b00", 11), ("0b", 11), ("", 0), ("0b000000ff", 11)]
        {
            let body = vector(&format!("b500 07000000 09000000 {tail}"));
            let install: InstallPart = body.read().unwrap();
            assert_eq!(
                (install.part, install.parent, install.point.0),
                (PartId(7), PartId(9), point),
                "{tail}"
            );
        }
        assert!(vector("b500 07000000 090000").read::<InstallPart>().is_err());
    }

    #[test]
    fn a_dealers_list_takes_10_bytes_a_car() {
        let cars = [(113, 20, false), (104, 15, true), (402, 20, false)].map(|(model, price, deal)| {
            StockCar { model: BrandedPartId(model), price, deal_of_the_day: Bool16(deal) }
        });
        let stock = StockCarInfo {
            starter_cash: 200,
            dealer: DealerId(8),
            brand: 105,
            cars: PagedList::first_n(cars),
        };
        let body = vector(
            "8d00 c8000000 08000000 69000000 0300 00 \
             71000000 14000000 0000 68000000 0f000000 0100 92010000 14000000 0000",
        );
        assert_eq!(stock.body(), body);
        assert_eq!(body.read(), Ok(stock));
    }
}
