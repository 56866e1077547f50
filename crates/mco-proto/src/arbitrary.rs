//! Messages out of any bytes, for property tests and fuzzers: what the derive cannot know, because a constructor
//! bounds it. What is made here survives being written and read again.

use crate::bytes::{Count, List, PagedList};
use crate::nps::Form;
use crate::nps::persona::{PersonaEntry, Personas};
use crate::text::{CStr, Chars, PStr, Str16};
use ::arbitrary::{Arbitrary, Result, Unstructured};

impl<'a, C: Count, T: Arbitrary<'a>, const MOST: usize> Arbitrary<'a> for List<C, T, MOST> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Vec::arbitrary(u).map(Self::first_n)
    }
}

impl<'a, T: Arbitrary<'a>, const MOST: usize> Arbitrary<'a> for PagedList<T, MOST> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Vec::arbitrary(u).map(Self::first_n)
    }
}

impl<'a> Arbitrary<'a> for Personas {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Vec::<PersonaEntry>::arbitrary(u).map(Self::first_n)
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl<'a, const N: usize> Arbitrary<'a> for $name<N> {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                // Trailing blanks and line ends are not text to a reader of these fields.
                let visible = |byte: &u8| char::from((*byte).max(b'!'));
                let length = u.arbitrary_len::<u8>()?.min(N);
                Ok(Self::first_n(&u.bytes(length)?.iter().map(visible).collect::<String>()))
            }

            fn size_hint(_depth: usize) -> (usize, Option<usize>) {
                (0, Some(N + size_of::<usize>()))
            }
        }
    )*};
}
text!(CStr, Chars, PStr, Str16);

impl<'a> Arbitrary<'a> for Form {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::Short, Self::LONG, Self::Long { version: 0 }]).copied()
    }
}

/// Checks something for many values.
#[cfg(test)]
pub(crate) fn for_any<T: for<'a> Arbitrary<'a>>(check: impl Fn(T)) {
    use proptest::prelude::{TestCaseError, any};
    use proptest::test_runner::TestRunner;

    let bytes = proptest::collection::vec(any::<u8>(), 0..2048);
    let outcome = TestRunner::default().run(&bytes, |bytes| {
        let value = T::arbitrary_take_rest(Unstructured::new(&bytes))
            .map_err(|_| TestCaseError::reject("too few bytes"))?;
        check(value);
        Ok(())
    });
    outcome.unwrap();
}
