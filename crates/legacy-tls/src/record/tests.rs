use super::*;
use proptest::prelude::*;

const VERSIONS: [Version; 2] = [Version::Ssl30, Version::Tls10];

fn keys(suite: Suite) -> Keys {
    let (mac, cipher) = (vec![0x11; suite.mac().size()], (0..).take(suite.key_size()).collect());
    Keys { mac, cipher, iv: vec![0x33; suite.block_size().unwrap_or(0)] }
}

fn pair(version: Version, suite: Suite) -> (Sealer, Opener) {
    (Sealer::new(version, suite, keys(suite)), Opener::new(version, suite, keys(suite)))
}

/// Content sealed with whatever padding: MAC right, the rest as given.
fn padded(version: Version, suite: Suite, content: &[u8], padding: &[u8]) -> Vec<u8> {
    let code = Authenticator::new(version, suite, keys(suite)).code(Kind::Data, content);
    let mut body = [content, &code, padding].concat();
    Encryptor::new(suite, &keys(suite)).run(&mut body);
    body
}

fn opens(version: Version, suite: Suite, mut body: Vec<u8>) -> Result<usize, BadRecord> {
    Opener::new(version, suite, keys(suite)).open(Kind::Data, &mut body).map(<[u8]>::len)
}

#[test]
fn a_header_is_read_or_refused() {
    assert_eq!(Header::read(&[22, 3, 1, 0]), Ok(None));
    let header = Header { kind: Kind::Data, version: 0x0300, length: 0x4800 };
    assert_eq!(Header::read(&[23, 3, 0, 0x48, 0, 9]), Ok(Some(header)));
    assert_eq!(Header::read(&[23, 3, 0, 0x48, 1]), Err(BadHeader::TooLong(0x4801)));
    assert_eq!(Header::read(&[24, 3, 0, 0, 1]), Err(BadHeader::Kind(24)));
}

#[test]
fn tls_allows_any_length_of_padding_and_checks_each_byte_of_it() {
    let (version, suite) = (Version::Tls10, Suite::Aes128Sha);
    // 12 and 20 bytes are two blocks.
    for blocks in 1..=16_u8 {
        let padding = vec![blocks.wrapping_mul(16).wrapping_sub(1); usize::from(blocks) * 16];
        assert_eq!(opens(version, suite, padded(version, suite, &[7; 12], &padding)), Ok(12));
        for at in 0..padding.len() {
            let mut wrong = padding.clone();
            wrong[at] ^= 0x40;
            assert_eq!(opens(version, suite, padded(version, suite, &[7; 12], &wrong)), Err(BadRecord));
        }
    }
}

#[test]
fn ssl_looks_at_the_last_byte_of_padding_only_and_wants_it_short() {
    let (version, suite) = (Version::Ssl30, Suite::TdesSha);
    assert_eq!(opens(version, suite, padded(version, suite, &[7; 8], b"any\x03")), Ok(8));
    assert_eq!(opens(version, suite, padded(version, suite, &[7; 4], b"any..ny\x07")), Ok(4));
    assert_eq!(opens(version, suite, padded(version, suite, &[7; 4], &[15; 16])), Err(BadRecord));
}

#[test]
fn padding_that_claims_more_than_there_is_does_not_open() {
    for version in VERSIONS {
        for claim in [12, 13, 31, 255] {
            let suite = Suite::Aes256Sha;
            assert_eq!(opens(version, suite, padded(version, suite, &[], &[claim; 12])), Err(BadRecord));
        }
    }
}

#[test]
fn a_full_record_and_one_byte_more_are_two_records() {
    let (mut sealer, mut opener) = pair(Version::Tls10, Suite::TdesSha);
    let mut out = Vec::new();
    sealer.seal(Kind::Data, &vec![9; LONGEST_PLAIN + 1], &mut out);
    let first = Header::read(&out).unwrap().unwrap();
    assert!(first.length <= LONGEST_BODY);
    let mut second = out.split_off(HEADER + first.length);
    assert_eq!(opener.open(Kind::Data, &mut out[HEADER..]).unwrap().len(), LONGEST_PLAIN);
    assert_eq!(opener.open(Kind::Data, &mut second[HEADER..]), Ok(&[9][..]));
}

#[test]
fn the_time_for_padding_is_made_up_for_within_its_bounds() {
    for (version, suite) in [(Version::Tls10, Suite::Aes128Sha), (Version::Ssl30, Suite::TdesSha)] {
        let authenticator = Authenticator::new(version, suite, keys(suite));
        for actual in 0..600 {
            authenticator.make_up_for(actual, actual + 256);
        }
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_in_the_same_order(
        version in 0..2_usize,
        suite in 0..5_usize,
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6),
    ) {
        let (mut sealer, mut opener) = pair(VERSIONS[version], Suite::BY_PREFERENCE[suite]);
        for content in contents {
            let mut record = Vec::new();
            sealer.seal(Kind::Handshake, &content, &mut record);
            let header = Header::read(&record).unwrap().unwrap();
            prop_assert_eq!((header.kind, header.version), (Kind::Handshake, VERSIONS[version].code()));
            prop_assert_eq!(header.length + HEADER, record.len());
            prop_assert_eq!(opener.open(Kind::Handshake, &mut record[HEADER..]), Ok(&content[..]));
        }
    }

    #[test]
    fn any_bytes_are_refused_without_panic(
        version in 0..2_usize,
        suite in 0..5_usize,
        mut body in proptest::collection::vec(any::<u8>(), 0..700),
    ) {
        let (_, mut opener) = pair(VERSIONS[version], Suite::BY_PREFERENCE[suite]);
        prop_assert_eq!(opener.open(Kind::Data, &mut body), Err(BadRecord));
    }
}
