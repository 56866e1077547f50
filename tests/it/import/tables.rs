//! A whole catalogue from a Jet file to what dealers sell.

use super::writer::{self, Cell, Table, Type};
use super::{BOTH, game};
use jet_reader::{JetError, Version};
use mco_proto::ids::{BrandedPartId, DealerId, SkinId};
use mcos::catalog::import::{self, ImportError, Summary};
use mcos::catalog::{Catalog, Imported, StockPart, file};
use std::fs;
use std::io::Cursor;

fn import(tables: &[Table]) -> Result<Imported, ImportError> {
    let bytes = writer::database(Version::Jet3, 0, tables);
    import::read(Cursor::new(bytes), "game.mdb", 1_000_000_000, |_| ()).map(|reading| reading.imported)
}

fn changed(change: impl Fn(&mut Vec<Table>)) -> Result<Imported, ImportError> {
    let mut tables = game::tables();
    change(&mut tables);
    import(&tables)
}

fn table<'a>(tables: &'a mut [Table], name: &str) -> &'a mut Table {
    tables.iter_mut().find(|table| table.name == name).unwrap()
}

#[test]
fn every_version_and_spelling_brings_the_same_catalogue() {
    let all: Vec<Imported> = BOTH
        .into_iter()
        .flat_map(|version| {
            [game::tables(), game::respelt()].map(|tables| writer::database(version, 0, &tables))
        })
        .map(|bytes| import::read(Cursor::new(bytes), "game.mdb", 1, |_| ()).unwrap().imported)
        .collect();
    for imported in &all {
        let mut same = imported.clone();
        same.origin = all[0].origin.clone();
        if same.pricing.columns != all[0].pricing.columns {
            // Its columns keep their names and order.
            same.pricing = all[0].pricing.clone();
        }
        assert_eq!(same, all[0]);
    }
    assert_eq!((all[0].origin.jet, all[3].origin.jet), (3, 4));
    assert_ne!(all[0].origin.hash(), all[1].origin.hash());
    assert_eq!(all[0].pricing.rows, [[1.0, 0.25, 12.5]]);
}

#[test]
fn progress_is_told_step_by_step_to_the_end() {
    let mut steps = Vec::new();
    let bytes = writer::database(Version::Jet4, 0, &game::tables());
    import::read(Cursor::new(bytes), "game.mdb", 1, |progress| steps.push(progress)).unwrap();
    assert!(
        steps.iter().enumerate().all(|(at, step)| step.done == at && step.of == steps.len()),
        "{steps:?}"
    );
}

#[test]
fn an_imported_catalogue_answers_what_the_built_in_one_answers() {
    let catalog = Catalog::of(import(&game::tables()).unwrap());
    assert_eq!(catalog.origin().unwrap().file, "game.mdb");
    assert_eq!(Catalog::builtin().origin(), None);
    let cars: Vec<String> = catalog.cars().iter().map(ToString::to_string).collect();
    assert_eq!(cars, ["1957 Ford Sample 500", "1957 Chevrolet Bel Fair", "1953 Chevrolet Pickup"]);
    let pickup = catalog.car(BrandedPartId(246)).unwrap();
    assert_eq!((pickup.price, pickup.class.number(), pickup.brand.number()), (9_000, 1, 3));
    assert!(catalog.offers(DealerId(8), 3, 0).iter().any(|offer| offer.car.model == pickup.model));
    assert_eq!(catalog.default_skin(BrandedPartId(104)).unwrap().id, SkinId(15), "the first plain one");
    assert_eq!(catalog.paint(BrandedPartId(104), SkinId(12)).flags, 1, "a rusty one");
    assert_eq!(catalog.paint(BrandedPartId(104), SkinId(2)).id, SkinId(15), "paint 2 is for another car");
    assert_eq!(catalog.skins(BrandedPartId(104)).len(), 3);
    assert_eq!(catalog.part_price(BrandedPartId(12_009)), Some(9));
    assert_eq!(
        (catalog.max_wear(BrandedPartId(12_030)), catalog.max_wear(BrandedPartId(12_009))),
        (1500, 30_000)
    );
    assert_eq!(catalog.kind(BrandedPartId(160_006)).unwrap().parent, Some(36_001));
    assert_eq!(catalog.engine_family(BrandedPartId(160_006)), Some(6));
    assert_eq!(catalog.complete_cars(), 3);
    let lobbies: Vec<_> = catalog.lobbies().iter().map(|lobby| (lobby.track, lobby.turf.as_str())).collect();
    let ours = [(25, "Harbor Streets"), (25, "Harbor Drag Strip")];
    assert_eq!(lobbies[2..], [ours[0], ours[1], (31, "Another track")]);
    assert_eq!(catalog.car(BrandedPartId(395)), None, "of no use to players");
}

#[test]
fn each_track_gets_a_lobby_of_its_kind_and_level() {
    let imported = changed(|tables| {
        let rows = &mut table(tables, "Element").rows;
        *rows = ["Hazard Hollow", "Goose Pointe", "County Dragway"]
            .iter()
            .zip(31..)
            .map(|(name, id)| vec![id.into(), (*name).into()])
            .collect();
    });
    let catalog = Catalog::of(imported.unwrap());
    let lobbies: Vec<_> = catalog.lobbies()[2..]
        .iter()
        .map(|lobby| (lobby.track, lobby.race_type.number(), lobby.level))
        .collect();
    assert_eq!(lobbies, [(31, 16, 15), (32, 17, 11), (33, 18, 1)]);
}

#[test]
fn each_part_of_a_car_hangs_where_its_kind_belongs_though_listed_before_its_assembly() {
    let catalog = Catalog::of(import(&game::tables()).unwrap());
    let parts = catalog.stock_parts(BrandedPartId(113)).unwrap();
    assert_eq!(parts.len(), game::PARTS.len());
    let parent = |part: &StockPart| part.parent.map_or(113, |at| parts[at].branded_part.0);
    for (at, part) in parts.iter().enumerate() {
        assert!(part.parent.is_none_or(|parent| parent < at), "parents come first");
        let kind = catalog.kind(part.branded_part).unwrap();
        let on = if kind.parent == Some(101) { 113 } else { kind.parent.unwrap() };
        assert_eq!(parent(part), on);
    }
    let engine = catalog.stock_parts(BrandedPartId(36_001)).unwrap();
    assert!(engine.len() == 2 && engine.iter().all(|part| part.parent.is_none()));
    assert_eq!(catalog.stock_parts(BrandedPartId(395)), None);
}

#[test]
fn a_catalogue_that_does_not_fit_together_is_refused_in_one_line() {
    let unsound = [
        changed(|tables| drop(table(tables, "BrandedPart").rows.pop())),
        changed(|tables| table(tables, "StockAssembly").rows.retain(|row| row[1] != 36_001.into())),
        // Suspension on springs and springs on suspension; an engine on its own block.
        changed(|tables| table(tables, "AbstractPartType").rows[1][1] = 12_001.into()),
        changed(|tables| table(tables, "AbstractPartType").rows[3][1] = 160_001.into()),
        changed(|tables| table(tables, "PTSkin").rows.retain(|row| row[2] != 1.into())),
        changed(|tables| table(tables, "StockVehicleAttributes").rows.clear()),
        changed(|tables| tables.retain(|table| table.name != "BrandedPart")),
        changed(|tables| table(tables, "BrandedPart").columns[5].0 = "Cost".to_owned()),
        import(&[Table::new("Friends", &[("Name", Type::Text)], vec![vec!["Joe".into()]])]),
    ];
    for refused in unsound {
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("; ") && why.lines().count() == 1, "{why}");
    }
}

#[test]
fn missing_optional_tables_are_no_hindrance_and_unusual_numbers_are_told() {
    let imported = changed(|tables| tables.truncate(8)).unwrap();
    assert!(imported.tracks.is_empty() && imported.attachment_points.is_empty());
    assert_eq!(Catalog::of(imported.clone()).lobbies().len(), 4);
    let summary = Summary::of(&imported);
    assert_eq!(summary.counts[0], ("cars for sale", 3));
    assert_eq!(summary.unusual.len(), 4);
}

#[test]
fn what_is_no_jet_file_is_refused() {
    let read = |bytes: Vec<u8>| import::read(Cursor::new(bytes), "x", 1, |_| ());
    assert!(matches!(read(Vec::new()), Err(ImportError::Jet(JetError::NotJet))));
    for (bytes, words) in [
        (b"PK\x03\x04".repeat(999), "this file is packed; unpack it first, then choose Online.mdb"),
        (b"\x1f\x8b\x08\0".repeat(999), "this file is packed"),
        (
            b"text".repeat(999),
            "this is no Jet (Access) database; choose Online.mdb, which is in the folder Data\\DB",
        ),
    ] {
        let why = read(bytes).unwrap_err().to_string();
        assert!(why.starts_with(words), "{why}");
    }
    let mut newer = writer::database(Version::Jet4, 0, &game::tables());
    newer[4..20].copy_from_slice(b"Standard ACE DB\0");
    newer[20] = 2;
    assert!(matches!(read(newer), Err(ImportError::Jet(JetError::Version(2)))));
    let whole = writer::database(Version::Jet4, 0, &game::tables());
    assert!(matches!(
        read(whole[..whole.len() / 2].to_vec()),
        Err(ImportError::Jet(JetError::CutOff(_) | JetError::Damaged { .. }))
    ));
}

#[test]
fn a_needed_table_that_is_empty_or_in_another_file_is_refused_and_named() {
    for name in
        ["Brand", "Model", "PartType", "BrandedPart", "StockAssembly", "StockVehicleAttributes", "PTSkin"]
    {
        let empty = changed(|tables| table(tables, name).rows.clear()).unwrap_err();
        assert!(matches!(empty, ImportError::NoRows(table) if table == name), "{name}: {empty}");
        let linked = changed(|tables| table(tables, name).object = 6).unwrap_err();
        assert!(matches!(linked, ImportError::Linked(table) if table == name), "{name}: {linked}");
        for error in [empty, linked] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    let without = changed(|tables| table(tables, "Element").object = 4).unwrap();
    assert!(without.tracks.is_empty(), "a table that is not needed");
}

#[test]
fn what_is_left_out_of_a_table_that_is_not_needed_is_told() {
    let notes = |file: &str, change: &dyn Fn(&mut Vec<Table>)| {
        let mut tables = game::tables();
        change(&mut tables);
        let bytes = writer::database(Version::Jet3, 0, &tables);
        import::read(Cursor::new(bytes), file, 1, |_| ()).unwrap().notes
    };
    assert_eq!(notes("Online.mdb", &|_| ()), Vec::<String>::new());
    for name in ["Element", "AttachmentPoint", "PartTypeCompatibility", "PricingGuide"] {
        let linked = notes("x", &|tables| table(tables, name).object = 4);
        let wanted = format!("the table {name} is in another file, to which this one leads, and is not used");
        assert_eq!(linked, [wanted]);
    }
    for (name, column) in [("Element", "ElementID"), ("PartTypeCompatibility", "ParentPartTypeID")] {
        let at = |tables: &mut Vec<Table>| {
            let table = table(tables, name);
            table.columns.iter().position(|(known, _)| known == column).unwrap()
        };
        let without = notes("x", &|tables| {
            let at = at(tables);
            table(tables, name).columns[at].0 = "Other".to_owned();
        });
        assert_eq!(without, [format!("the table {name} has no column {column} and is not used")]);
        let passed_over = notes("x", &|tables| {
            let at = at(tables);
            table(tables, name).rows[0][at] = Cell::Null;
        });
        assert_eq!(passed_over, [format!("1 rows of the table {name} have no number and are not used")]);
    }
    let twice = notes("x", &|tables| {
        let rows = &mut table(tables, "Element").rows;
        let first = rows[0].clone();
        rows.push(first);
    });
    assert_eq!(twice, ["1 rows of the table Element have the number of another row and are not used"]);
    assert!(notes("TMP.MDB", &|_| ())[0].contains("only while it runs"));
}

#[test]
fn a_row_without_a_number_of_its_own_is_damage_and_not_left_out() {
    for (name, column) in [
        ("Brand", 0),
        ("Model", 0),
        ("AbstractPartType", 0),
        ("PartType", 1),
        ("BrandedPart", 0),
        ("StockVehicleAttributes", 0),
        ("PTSkin", 0),
    ] {
        let nothing = changed(|tables| table(tables, name).rows[1][column] = Cell::Null);
        let repeated = changed(|tables| {
            let rows = &mut table(tables, name).rows;
            rows[1][column] = rows[0][column].clone();
        });
        for refused in [nothing, repeated].map(Result::unwrap_err) {
            assert!(matches!(refused, ImportError::Numbers(table) if table == name), "{name}: {refused}");
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
    for column in 0..2 {
        let refused =
            changed(|tables| table(tables, "StockAssembly").rows[7][column] = Cell::Null).unwrap_err();
        assert!(matches!(refused, ImportError::Numbers("StockAssembly")), "{refused}");
    }
}

#[test]
fn the_games_scratch_file_is_told_from_its_catalogue() {
    let read = |name| {
        import::read(Cursor::new(writer::database(Version::Jet3, 0, &game::tables()[..1])), name, 1, |_| ())
    };
    let scratch = read("TMP.MDB").unwrap_err();
    assert!(matches!(scratch, ImportError::ScratchFile), "{scratch}");
    assert!(scratch.to_string().contains("Data\\DB"), "{scratch}");
    assert!(matches!(read("Online.mdb"), Err(ImportError::NoTable(_))));
    let whole = writer::database(Version::Jet3, 0, &game::tables());
    assert!(import::read(Cursor::new(whole), "tmp.mdb", 1, |_| ()).is_ok(), "what is in it decides");
}

#[test]
fn a_saved_catalogue_is_loaded_as_it_was_and_a_damaged_one_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(file::load(&data).unwrap().is_none());
    let imported = import(&game::tables()).unwrap();
    file::save(&data, &imported).unwrap();
    file::save(&data, &imported).unwrap();
    assert_eq!(file::load(&data).unwrap().as_ref(), Some(&imported));
    let path = data.join("catalog.mcos");
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs::write(&path, bad).unwrap();
        assert!(file::load(&data).is_err(), "byte {at}");
    }
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert!(file::load(&data).is_err());
    assert_eq!(Catalog::in_folder(&data).origin(), None, "the server starts all the same");
}

#[test]
fn a_running_game_can_use_another_catalogue() {
    let catalog = Catalog::builtin();
    let held = catalog.car(BrandedPartId(113)).unwrap();
    catalog.replace(import(&game::tables()).unwrap());
    assert_eq!((held.price, catalog.car(BrandedPartId(113)).unwrap().price), (20_214, 18_000));
    assert_eq!(catalog.lobbies().len(), 4, "until the next start");
}
