//! What holds for every row of both tables.

use crate::arbitrary::for_any;
use crate::mcots::number;
use crate::nps::id;
use crate::table::Layout;

#[test]
fn whatever_is_read_from_a_body_survives_being_written_and_read_again() {
    let nps = id::TABLE.iter().flat_map(|row| row.layouts.iter().map(move |layout| (row.name, layout)));
    let mcots = number::TABLE.iter().flat_map(|row| row.layouts.iter().map(move |layout| (row.name, layout)));
    let layouts: Vec<(&str, &Layout)> = nps.chain(mcots).collect();
    assert!(layouts.len() > 100);
    for_any(|body: Vec<u8>| {
        for (name, layout) in &layouts {
            let Ok(read) = (layout.decode)(&body) else { continue };
            let again = (layout.decode)(&read.encode());
            assert_eq!(again.map(|again| format!("{again:?}")), Ok(format!("{read:?}")), "{name} {layout:?}");
        }
    });
}
