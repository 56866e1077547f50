//! The tables that are taken, one function each: which columns, under which names, and what becomes of a row. A row
//! without its number is passed over with a note, in a table that is needed it is a reason to refuse the file.

use super::ImportError;
use super::sheet::{may, need, needed, optional};
use crate::catalog::MAX_WEAR;
use crate::catalog::imported::{
    AssemblyRow, BrandRow, CompatibilityRow, KindRow, ModelRow, Named, PartRow, PartTypeRow, SkinRow,
    VehicleRow,
};
use jet_reader::Database;
use std::io::{Read, Seek};

type Rows<T> = Result<Vec<T>, ImportError>;

pub(super) fn brands<R: Read + Seek>(from: &mut Database<R>) -> Rows<BrandRow> {
    needed(
        from,
        &["Brand"],
        &[need(&["BrandID"]), need(&["Brand", "BrandName", "Name"]), may(&["IsStock"])],
        |row| Some(BrandRow { id: row.number(0)?, name: row.text(1), cars: row.is_set(2) }),
    )
}

pub(super) fn models<R: Read + Seek>(from: &mut Database<R>) -> Rows<ModelRow> {
    needed(
        from,
        &["Model"],
        &[need(&["ModelID"]), need(&["BrandID"]), need(&["EModel", "Model", "ModelName"])],
        |row| Some(ModelRow { id: row.number(0)?, brand: row.number_or_0(1), name: row.text(2) }),
    )
}

pub(super) fn kinds<R: Read + Seek>(from: &mut Database<R>) -> Rows<KindRow> {
    needed(
        from,
        &["AbstractPartType"],
        &[
            need(&["AbstractPartTypeID"]),
            need(&["ParentAbstractPartTypeID", "ParentID"]),
            may(&["EAPT", "AbstractPartType", "Name"]),
            may(&["ModifiedRule"]),
            may(&["PartPaired"]),
            may(&["BlockFamilyCompatibility"]),
        ],
        |row| {
            Some(KindRow {
                id: row.number(0)?,
                parent: row.number(1).filter(|parent| *parent != 0),
                name: row.text(2),
                stays_stock: row.is_set(3),
                paired: row.is_set(4),
                by_family: row.is_set(5),
            })
        },
    )
}

pub(super) fn part_types<R: Read + Seek>(from: &mut Database<R>) -> Rows<PartTypeRow> {
    needed(
        from,
        &["PartType"],
        &[
            need(&["PartTypeID"]),
            need(&["AbstractPartTypeID"]),
            need(&["PartType", "PartTypeName", "Name"]),
            may(&["PartGradeID", "GradeID"]),
        ],
        |row| {
            let grade = u8::try_from(row.number_or_0(3)).unwrap_or_default();
            Some(PartTypeRow { id: row.number(0)?, kind: row.number_or_0(1), grade, name: row.text(2) })
        },
    )
}

pub(super) fn parts<R: Read + Seek>(from: &mut Database<R>) -> Rows<PartRow> {
    needed(
        from,
        &["BrandedPart"],
        &[
            need(&["BrandedPartID"]),
            need(&["PartTypeID"]),
            need(&["ModelID"]),
            need(&["RetailPrice"]),
            may(&["MaxItemWear"]),
            may(&["EngineBlockFamilyID"]),
            may(&["QtyAvail"]),
        ],
        |row| {
            Some(PartRow {
                id: row.number(0)?,
                part_type: row.number_or_0(1),
                model: row.number_or_0(2),
                price: row.number_or_0(3),
                max_wear: row.number(4).filter(|wear| *wear > 0).unwrap_or(MAX_WEAR),
                family: row.number_or_0(5),
                quantity: row.number_or_0(6),
            })
        },
    )
}

pub(super) fn assemblies<R: Read + Seek>(from: &mut Database<R>) -> Rows<AssemblyRow> {
    needed(
        from,
        &["StockAssembly"],
        &[need(&["ParentBrandedPartID"]), need(&["ChildBrandedPartID"]), need(&["AttachmentPointID"])],
        |row| {
            let attachment_point = u8::try_from(row.number_or_0(2)).unwrap_or_default();
            Some(AssemblyRow { whole: row.number(0)?, part: row.number(1)?, attachment_point })
        },
    )
}

pub(super) fn vehicles<R: Read + Seek>(from: &mut Database<R>) -> Rows<VehicleRow> {
    needed(
        from,
        &["StockVehicleAttributes"],
        &[
            need(&["BrandedPartID"]),
            need(&["CarClass", "SVACarClass"]),
            need(&["ModeRestriction", "SVAModeRestriction"]),
            need(&["RetailPrice"]),
            may(&["VINBrandedPartID"]),
        ],
        |row| {
            let (id, class) = (row.number(0)?, u8::try_from(row.number_or_0(1)).unwrap_or_default());
            let (mode, price) = (row.number_or_0(2), row.number_or_0(3));
            Some(VehicleRow { id, class, mode, base: row.number(4).unwrap_or(id), price })
        },
    )
}

pub(super) fn skins<R: Read + Seek>(from: &mut Database<R>) -> Rows<SkinRow> {
    needed(
        from,
        &["PTSkin"],
        &[
            need(&["SkinID"]),
            need(&["PartTypeID"]),
            need(&["SkinTypeID"]),
            may(&["Price"]),
            may(&["DefaultFlag"]),
            may(&["ESkin", "Skin", "Name"]),
        ],
        |row| {
            Some(SkinRow {
                id: row.number(0)?,
                part_type: row.number_or_0(1),
                kind: row.number_or_0(2),
                price: row.number_or_0(3),
                flags: row.number_or_0(4),
                name: row.text(5),
            })
        },
    )
}

pub(super) fn compatibilities<R: Read + Seek>(
    from: &mut Database<R>,
    notes: &mut Vec<String>,
) -> Rows<CompatibilityRow> {
    optional(
        from,
        notes,
        &["PartTypeCompatibility"],
        &[
            need(&["ParentPartTypeID", "ParentPartType"]),
            need(&["ChildPartTypeID", "ChildPartType"]),
            may(&["Critical"]),
            may(&["MinQuantity", "MinQty"]),
            may(&["MaxQuantity", "MaxQty"]),
        ],
        |row| {
            let (parent, child, critical) = (row.number(0)?, row.number(1)?, row.is_set(2));
            Some(CompatibilityRow {
                parent,
                child,
                critical,
                least: row.number_or_0(3),
                most: row.number_or_0(4),
            })
        },
    )
}

/// A table that says what numbers are called; empty where there is none.
pub(super) fn names<R: Read + Seek>(
    from: &mut Database<R>,
    notes: &mut Vec<String>,
    table: &'static str,
    id: &'static [&'static str],
    name: &'static [&'static str],
) -> Rows<Named> {
    optional(from, notes, &[table], &[need(id), need(name)], |row| {
        Some(Named { id: row.number(0)?, name: row.text(1) })
    })
}
