//! The ways in which files are damaged, for the tests of the reader and for those of the import: the module above says which
//! `FILES` (two written ones of Jet 3, two of Jet 4, then others), and what `read_everything` is.

use super::{FILES, read_everything};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_anywhere_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = which.get(&FILES).clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_everything(&bytes);
    }

    /// The places that count are at the front of pages, in definitions and in lists of rows.
    #[test]
    fn changed_bytes_at_the_front_of_a_page_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..80, any::<u8>()), 1..10),
    ) {
        let mut bytes = which.get(&FILES).clone();
        for (page, at, value) in changes {
            let page = page.index(bytes.len() / 2048);
            bytes[page * 2048 + at] = value;
        }
        read_everything(&bytes);
    }

    #[test]
    fn noise_behind_a_sound_header_is_survived(noise in prop::collection::vec(any::<u8>(), 0..20_000), jet4: bool) {
        let mut bytes = FILES[if jet4 { 2 } else { 0 }][..2048].to_vec();
        bytes.extend(noise);
        read_everything(&bytes);
    }
}

#[test]
fn a_definition_or_a_row_that_leads_to_itself_ends() {
    for file in FILES.iter() {
        let size = if file[20] == 0 { 2048 } else { 4096 };
        for page in 1..file.len() / size {
            let mut bytes = file.clone();
            let itself = u32::try_from(page).unwrap().to_le_bytes();
            bytes[page * size + 4..page * size + 8].copy_from_slice(&itself);
            read_everything(&bytes);
        }
    }
}
