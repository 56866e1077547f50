//! What holds for every row of both tables.

use crate::arbitrary::for_any;
use crate::mcots::number;
use crate::nps::id;
use crate::table::Layout;
use arbitrary::Unstructured;

fn layouts() -> Vec<(&'static str, &'static Layout)> {
    let nps = id::TABLE.iter().flat_map(|row| row.layouts.iter().map(move |layout| (row.name, layout)));
    let mcots = number::TABLE.iter().flat_map(|row| row.layouts.iter().map(move |layout| (row.name, layout)));
    nps.chain(mcots).collect()
}

#[test]
fn whatever_is_read_from_a_body_survives_being_written_and_read_again() {
    let layouts = layouts();
    assert!(layouts.len() > 100);
    for_any(|body: Vec<u8>| {
        for (name, layout) in &layouts {
            let Ok(read) = (layout.decode)(&body) else { continue };
            let again = (layout.decode)(&read.encode());
            assert_eq!(again.map(|again| format!("{again:?}")), Ok(format!("{read:?}")), "{name} {layout:?}");
        }
    });
}

#[test]
fn whatever_is_written_can_be_read() {
    let layouts = layouts();
    for_any(|bytes: Vec<u8>| {
        for (name, layout) in &layouts {
            let Ok(made) = (layout.make)(&mut Unstructured::new(&bytes)) else { continue };
            let read = (layout.decode)(&made.encode());
            assert!(read.is_ok(), "{name} {made:?} {}", read.unwrap_err());
        }
    });
}
