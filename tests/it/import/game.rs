//! A made-up catalogue in the layout of the game's own: a few cars and parts, nothing of the original but what numbers of
//! kinds mean.

use super::writer::{Cell, Table, Type};

/// Assemblies, and kinds that hang on them.
const KINDS: &[(u32, u32)] = &[
    (101, 0),
    (1001, 101),
    (2001, 101),
    (36_001, 101),
    (12_001, 1001),
    (20_001, 2001),
    (160_001, 36_001),
    (200_001, 36_001),
];

/// The cars: number, name of the type, model's number, mode, class, price.
pub(crate) const CARS: &[(u32, &str, u32, u32, u32, u32)] = &[
    (113, "1957 Chevrolet Bel Fair", 1, 0, 2, 18_000),
    (104, "1957 Ford Sample 500", 2, 0, 2, 12_000),
    (246, "1953 Chevrolet Pickup", 3, 1, 1, 9_000),
    (395, "1932 Ford Debug", 4, 2, 1, 5_000),
    (411, "1932 Ford Unfinished", 4, 0, 1, 1_000),
];

/// The parts of each car, the second one before the assembly it hangs on.
pub(crate) const PARTS: &[(u32, u32)] =
    &[(1001, 0), (160_006, 0), (36_001, 0), (2001, 0), (12_009, 10), (12_030, 11), (20_113, 0), (200_002, 0)];

fn numbers(rows: &[&[u32]]) -> Vec<Vec<Cell>> {
    rows.iter().map(|row| row.iter().map(|number| (*number).into()).collect()).collect()
}

fn kind_of(part: u32) -> u32 {
    KINDS.iter().map(|(kind, _)| *kind).filter(|kind| *kind <= part).max().unwrap()
}

/// The tables as the game spells them.
pub(crate) fn tables() -> Vec<Table> {
    use Type::{Boolean, Byte, Currency, DateTime, Double, Integer, Long, Text};
    let cars = || CARS.iter();
    let parts: Vec<u32> = PARTS.iter().map(|(part, _)| *part).collect();
    let mut skin_columns: Vec<(String, Type)> = vec![
        ("SkinID".to_owned(), Long),
        ("CreatorID".to_owned(), Long),
        ("SkinTypeID".to_owned(), Long),
        ("PartTypeID".to_owned(), Long),
        ("ESkin".to_owned(), Text),
        ("Price".to_owned(), Long),
    ];
    skin_columns
        .extend((0..48).map(|at| (format!("{}{}", ["H", "S", "V", "C", "X", "Y"][at % 6], at / 6), Integer)));
    skin_columns.push(("DefaultFlag".to_owned(), Long));
    let skin_columns: Vec<(&str, Type)> =
        skin_columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let skins = cars().enumerate().flat_map(|(at, car)| {
        let at = u32::try_from(at).unwrap();
        [(at * 10 + 2, 7, 50, 1), (at * 10 + 5, 1, 200, 0), (at * 10 + 9, 1, 250, 0)].map(
            |(id, kind, price, flag)| {
                let name = Cell::Text(format!("paint {id}"));
                let mut row =
                    vec![id.into(), 10.into(), kind.into(), (car.0 + 5000).into(), name, price.into()];
                row.extend((0..48).map(|at| Cell::Number(at * 5)));
                row.push(flag.into());
                row
            },
        )
    });
    let part_types = cars().map(|car| (car.0 + 5000, 101, car.1.to_owned()));
    let part_types =
        part_types.chain(parts.iter().map(|part| (part + 5000, kind_of(*part), format!("type {part}"))));
    let branded = cars().map(|car| (car.0, car.2, 0_u32));
    let branded =
        branded.chain(parts.iter().map(|part| (*part, 9, if *part > 10_000 { part % 1000 } else { 0 })));
    vec![
        Table::new(
            "Brand",
            &[("BrandID", Long), ("Brand", Text), ("PicName", Text), ("IsStock", Long)],
            vec![
                vec![1.into(), "Ford".into(), "ford".into(), 9.into()],
                vec![3.into(), "Chevrolet".into(), "chevy".into(), 9.into()],
                vec![40.into(), "Caf\u{e9} Racer".into(), Cell::Null, 0.into()],
            ],
        ),
        Table::new(
            "Model",
            &[("ModelID", Long), ("EModel", Text), ("BrandID", Long), ("GModel", Text)],
            [(1, 3), (2, 1), (3, 3), (4, 1), (9, 40)]
                .map(|(id, brand)| {
                    vec![id.into(), Cell::Text(format!("model {id}")), brand.into(), Cell::Null]
                })
                .to_vec(),
        ),
        Table::new(
            "AbstractPartType",
            &[
                ("AbstractPartTypeID", Long),
                ("ParentAbstractPartTypeID", Long),
                ("DependsOn", Long),
                ("EAPT", Text),
                ("ModifiedRule", Long),
                ("EUT", Type::Picture),
                ("PartPaired", Long),
                ("BlockFamilyCompatibility", Long),
                ("RepairCostModifier", Double),
            ],
            KINDS
                .iter()
                .map(|&(id, parent)| {
                    let parent = if parent == 0 { Cell::Null } else { parent.into() };
                    let name = Cell::Text(format!("Kind {id}"));
                    let family = u32::from(id >= 160_001).into();
                    vec![
                        id.into(),
                        parent.clone(),
                        parent,
                        name,
                        0.into(),
                        Cell::Null,
                        0.into(),
                        family,
                        Cell::Real(1.0),
                    ]
                })
                .collect(),
        ),
        Table::new(
            "PartType",
            &[("PartType", Text), ("PartTypeID", Long), ("AbstractPartTypeID", Long), ("PartGradeID", Byte)],
            part_types
                .map(|(id, kind, name)| vec![Cell::Text(name), id.into(), kind.into(), 1.into()])
                .collect(),
        ),
        Table::new(
            "BrandedPart",
            &[
                ("BrandedPartID", Long),
                ("PartTypeID", Long),
                ("ModelID", Long),
                ("MfgDate", DateTime),
                ("QtyAvail", Long),
                ("RetailPrice", Long),
                ("MaxItemWear", Integer),
                ("EngineBlockFamilyID", Long),
            ],
            branded
                .map(|(id, model, price)| {
                    let (wear, family) =
                        if id == 12_030 { (1500, 0) } else { (30_000, u32::from(id >= 160_001) * 6) };
                    let date = Cell::Real(20_000.0);
                    vec![
                        id.into(),
                        (id + 5000).into(),
                        model.into(),
                        date,
                        500.into(),
                        price.into(),
                        wear.into(),
                        family.into(),
                    ]
                })
                .collect(),
        ),
        Table::new(
            "StockAssembly",
            &[
                ("ParentBrandedPartID", Long),
                ("ChildBrandedPartID", Long),
                ("AttachmentPointID", Long),
                ("ConfigDefault", Boolean),
            ],
            cars()
                .flat_map(|car| {
                    PARTS.iter().map(|(part, point)| {
                        vec![car.0.into(), (*part).into(), (*point).into(), Cell::Yes(true)]
                    })
                })
                .chain(numbers(&[&[36_001, 160_006, 0, 0], &[36_001, 200_002, 0, 0]]).into_iter().map(
                    |mut row| {
                        row[3] = Cell::Yes(false);
                        row
                    },
                ))
                .collect(),
        ),
        Table::new(
            "StockVehicleAttributes",
            &[
                ("BrandedPartID", Long),
                ("CarClass", Long),
                ("AIRestrictionClass", Long),
                ("ModeRestriction", Long),
                ("VinBrandedPartID", Long),
                ("RetailPrice", Long),
            ],
            numbers(
                &CARS
                    .iter()
                    .map(|car| vec![car.0, car.4, 0, car.3, car.0, car.5])
                    .collect::<Vec<_>>()
                    .iter()
                    .map(Vec::as_slice)
                    .collect::<Vec<_>>(),
            ),
        ),
        Table::new("PTSkin", &skin_columns, skins.collect()),
        Table::new(
            "AttachmentPoint",
            &[("AttachmentPointID", Long), ("AttachmentPoint", Text)],
            vec![
                vec![0.into(), "(default)".into()],
                vec![10.into(), "Front".into()],
                vec![11.into(), "Rear".into()],
            ],
        ),
        Table::new(
            "Element",
            &[("ElementID", Long), ("Element", Text)],
            vec![vec![25.into(), "A known track".into()], vec![31.into(), "Another track".into()]],
        ),
        Table::new(
            "PartTypeCompatibility",
            &[
                ("ParentPartTypeID", Long),
                ("ChildPartTypeID", Long),
                ("Critical", Boolean),
                ("MinQuantity", Long),
                ("MaxQuantity", Long),
            ],
            vec![vec![41_001.into(), 165_006.into(), Cell::Yes(true), 1.into(), 1.into()]],
        ),
        Table::new(
            "PricingGuide",
            &[("Type", Long), ("DamageA", Double), ("Comment", Text), ("BaseMin", Currency)],
            vec![vec![1.into(), Cell::Real(0.25), "words".into(), Cell::Number(125_000)]],
        ),
    ]
}

/// The same as the community's copies spell them, columns in another order.
pub(crate) fn respelt() -> Vec<Table> {
    let snake = |name: &str| {
        let mut spelt = String::new();
        let mut lower = false;
        for c in name.chars() {
            if c.is_ascii_uppercase() && lower {
                spelt.push('_');
            }
            lower = !c.is_ascii_uppercase();
            spelt.push(c.to_ascii_lowercase());
        }
        spelt
    };
    let respell = |table: Table| Table {
        name: snake(&table.name),
        columns: table.columns.iter().rev().map(|(name, kind)| (snake(name), *kind)).collect(),
        rows: table.rows.into_iter().map(|row| row.into_iter().rev().collect()).collect(),
        object: table.object,
    };
    tables().into_iter().map(respell).collect()
}
