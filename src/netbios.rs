//! Messages of the NetBIOS name service: reads queries for a name (NB) or for a machine's names (NBSTAT) and makes the answers.
//! Big-endian, one UDP datagram each (RFC 1002, section 4.2, *documented*).
//!
//! Windows XP has no other way to find a machine by name on a network without a name server.

use mco_proto::{Malformed, Reader, Wire, Writer};
use std::net::Ipv4Addr;

/// The port of the name service.
pub const PORT: u16 = 137;

/// The longest datagram of the name service, in bytes (RFC 1002, section 4.2.1).
pub const MAX_DATAGRAM: usize = 576;

/// The length of a name in bytes; one more byte, the suffix, names the service of the machine that is meant.
const LETTERS: usize = 15;

/// Seconds for which an answer may be cached. Short, because the address may change with the next DHCP lease.
const TIME_TO_LIVE: u32 = 300;

/// Size in bytes of the statistics behind the names of an NBSTAT answer (section 4.2.18). They are not used; all are zero.
const STATISTICS: usize = 46;

/// The first byte of an encoded name: the length of its one label.
const LABEL: u8 = 32;

/// The question type for the address of a name.
const NB: u16 = 0x0020;
/// The question type for all names of a machine.
const NBSTAT: u16 = 0x0021;

/// The class "Internet", the only one there is.
const INTERNET: u16 = 1;

/// Flags of the header: a response; authoritative; recursion desired, which queries for names set and responses repeat.
const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;
const RECURSION_DESIRED: u16 = 0x0100;
/// Flags that are not set in a query: response, opcode (0 is "query"), truncated.
const NOT_A_QUERY: u16 = 0xFA00;

/// Flags of a name in an NBSTAT answer: unique, B node, active (section 4.2.18).
const ACTIVE: u16 = 0x0400;

/// Suffixes, the sixteenth byte of a name.
const WORKSTATION: u8 = 0x00;
const FILE_SERVER: u8 = 0x20;
/// The suffixes that are answered: web browsers ask for the first, `\\name` in Windows Explorer for the second.
const OURS: [u8; OURS_COUNT as usize] = [WORKSTATION, FILE_SERVER];
const OURS_COUNT: u8 = 2;

/// A name with its suffix.
type FullName = [u8; LETTERS + 1];

/// The name in a query for all names of whatever machine gets it.
const ANY: FullName = *b"*\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The NetBIOS name of this machine: 1 to 15 letters, digits and hyphens, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineName([u8; LETTERS]);

impl MachineName {
    /// Makes the name from a host name: its first label, cut to 15 characters. `None` if that is empty, is `localhost`, or has
    /// characters other than ASCII letters, digits and hyphens.
    pub fn from_host(host: &str) -> Option<Self> {
        let label = host.split('.').next().unwrap_or_default();
        if label.eq_ignore_ascii_case("localhost") || label.is_empty() {
            return None;
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let mut name = [b' '; LETTERS];
        name.iter_mut().zip(label.bytes()).for_each(|(place, letter)| *place = letter.to_ascii_uppercase());
        Some(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.trim_ascii_end()).unwrap_or_default()
    }

    fn full(self, meaning: u8) -> FullName {
        let mut full = [meaning; LETTERS + 1];
        full.iter_mut().zip(self.0).for_each(|(place, letter)| *place = letter);
        full
    }
}

/// The kind of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// The address of a name.
    Address,
    /// All names of a machine.
    Status,
}

/// The fields of a datagram with one question, 50 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Asked {
    /// The transaction id, which the answer repeats.
    id: u16,
    /// Flags and opcode.
    flags: u16,
    /// The number of questions: 1.
    questions: u16,
    /// The length of the name's label: 32.
    label: u8,
    /// The name, encoded.
    name: [u8; 32],
    /// 0: the name has an empty scope.
    end: u8,
    /// NB or NBSTAT.
    question: u16,
    /// The class: Internet.
    class: u16,
}

impl Asked {
    fn read(datagram: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::big(datagram);
        let [id, flags, questions, _answers, _authorities, _additional] = Wire::read(&mut reader)?;
        Ok(Self {
            id,
            flags,
            questions,
            label: Wire::read(&mut reader)?,
            name: reader.array()?,
            end: Wire::read(&mut reader)?,
            question: Wire::read(&mut reader)?,
            class: Wire::read(&mut reader)?,
        })
    }
}

/// A query for a name or for a machine's names.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    asked: Asked,
    name: FullName,
    question: Question,
}

impl Query {
    /// Reads a datagram. `None` if it is anything but a query with one question for a name in the empty scope.
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let asked = Asked::read(datagram).ok()?;
        let is_query = asked.flags & NOT_A_QUERY == 0 && asked.questions == 1;
        let is_plain = asked.label == LABEL && asked.end == 0 && asked.class == INTERNET;
        let question = match asked.question {
            NB => Question::Address,
            NBSTAT => Question::Status,
            _ => return None,
        };
        let name = decode(&asked.name)?;
        (is_query && is_plain).then_some(Self { asked, name, question })
    }

    /// The answer of the machine `own`, which is reached at `address`; at most 139 bytes. `None` if the query is for another machine.
    pub fn answer(&self, own: MachineName, address: Ipv4Addr) -> Option<Vec<u8>> {
        let is_ours = OURS.iter().any(|meaning| own.full(*meaning) == self.name);
        let (flags, time_to_live, data) = match self.question {
            Question::Address if is_ours => {
                (RESPONSE | AUTHORITATIVE | RECURSION_DESIRED, TIME_TO_LIVE, address_data(address))
            }
            Question::Status if is_ours || self.name == ANY => {
                (RESPONSE | AUTHORITATIVE, 0, status_data(own))
            }
            Question::Address | Question::Status => return None,
        };
        let Asked { id, label, name, end, question, class, .. } = self.asked;
        let mut answer = Writer::big();
        let (questions, answers, authorities, additional) = (0, 1, 0, 0);
        [id, flags, questions, answers, authorities, additional].write(&mut answer);
        label.write(&mut answer);
        answer.put(&name);
        end.write(&mut answer);
        question.write(&mut answer);
        class.write(&mut answer);
        time_to_live.write(&mut answer);
        u16::try_from(data.len()).ok()?.write(&mut answer);
        answer.put(&data);
        Some(answer.into_bytes())
    }
}

/// The data of an NB answer: flags (0: unique, B node) and the address (section 4.2.13).
fn address_data(address: Ipv4Addr) -> Vec<u8> {
    let mut data = Writer::big();
    data.zeros(2);
    data.put(&address.octets());
    data.into_bytes()
}

/// The data of an NBSTAT answer: the number of names, each name with its flags, and statistics (section 4.2.18).
fn status_data(own: MachineName) -> Vec<u8> {
    let mut data = Writer::big();
    data.put(&[OURS_COUNT]);
    for meaning in OURS {
        data.put(&own.full(meaning));
        ACTIVE.write(&mut data);
    }
    data.zeros(STATISTICS);
    data.into_bytes()
}

/// Undoes the "first-level encoding" of RFC 1001, section 14.1: each byte is two letters from A to P, one for each half. `None`
/// for other letters.
fn decode(encoded: &[u8; 32]) -> Option<FullName> {
    let mut name = [0; LETTERS + 1];
    let half = |letter: u8| letter.checked_sub(b'A').filter(|half| *half < 16);
    for (place, pair) in name.iter_mut().zip(encoded.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *place = (half(high)? << 4) | half(low)?;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

    fn name(host: &str) -> MachineName {
        MachineName::from_host(host).unwrap()
    }

    fn encode(name: &FullName) -> [u8; 32] {
        let mut encoded = [0; 32];
        let halves = name.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        encoded.iter_mut().zip(halves).for_each(|(place, half)| *place = b'A' + half);
        encoded
    }

    /// A query as Windows and Samba send it to everybody.
    fn query(name: &FullName, question: u16) -> Vec<u8> {
        let mut bytes = vec![0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, LABEL];
        bytes.extend(encode(name));
        bytes.push(0);
        bytes.extend(question.to_be_bytes());
        bytes.extend([0, 1]);
        bytes
    }

    fn answer(query: &[u8]) -> Option<Vec<u8>> {
        Query::read(query)?.answer(name("mcos"), ADDRESS)
    }

    #[test]
    fn a_name_is_encoded_as_the_example_of_rfc_1001_shows() {
        // Section 14.1; the example's scope is left out.
        assert_eq!(&encode(b"FRED            "), b"EGFCEFEECACACACACACACACACACACACA");
        assert_eq!(&decode(b"EGFCEFEECACACACACACACACACACACACA").unwrap(), b"FRED            ");
    }

    #[test]
    fn who_asks_for_our_name_is_told_our_address() {
        for meaning in OURS {
            let asked = name("mcos").full(meaning);
            let bytes = answer(&query(&asked, 0x20)).unwrap();
            let mut expected = vec![0x12, 0x34, 0x85, 0x00, 0, 0, 0, 1, 0, 0, 0, 0, LABEL];
            expected.extend(encode(&asked));
            expected.extend([0, 0, 0x20, 0, 1, 0, 0, 0x01, 0x2C, 0, 6, 0, 0, 192, 168, 1, 5]);
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn who_asks_for_all_names_is_told_both() {
        for asked in [ANY, name("mcos").full(FILE_SERVER)] {
            let bytes = answer(&query(&asked, 0x21)).unwrap();
            assert_eq!(bytes[2..12], [0x84, 0x00, 0, 0, 0, 1, 0, 0, 0, 0]);
            let data = &bytes[12 + 34 + 10..];
            let mut expected = vec![2];
            expected.extend(b"MCOS           \x00\x04\x00MCOS           \x20\x04\x00");
            expected.extend([0; STATISTICS]);
            assert_eq!(data, expected);
        }
    }

    #[test]
    fn other_names_and_other_meanings_of_ours_are_left_to_others() {
        for asked in [name("mcos2").full(0), name("mco").full(0), name("mcos").full(0x1B), ANY] {
            assert_eq!(answer(&query(&asked, 0x20)), None);
        }
        assert_eq!(answer(&query(&name("other").full(0), 0x21)), None);
    }

    #[test]
    fn what_is_no_query_gets_no_answer() {
        let sound = query(&name("mcos").full(0), 0x20);
        assert!(answer(&sound).is_some());
        // An answer, a registration, a truncated one, no question, two, another label, a scope, letters beyond P,
        // another question, another class.
        for (at, byte) in
            [(2, 0x81), (2, 0x29), (2, 0x03), (5, 0), (5, 2), (12, 31), (45, 3), (13, b'Q'), (47, 1), (49, 3)]
        {
            let mut other = sound.clone();
            other[at] = byte;
            assert_eq!(answer(&other), None, "{at}: {byte}");
        }
        for end in 0..sound.len() {
            assert_eq!(answer(&sound[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn the_name_is_what_windows_can_take_of_the_host_name() {
        assert_eq!(name("mcos.example.org").as_str(), "MCOS");
        assert_eq!(name("the-longest-of-all-boxes").as_str(), "THE-LONGEST-OF-");
        for host in ["", ".org", "localhost", "localhost.localdomain", "my_box", "b\u{fc}chse"] {
            assert_eq!(MachineName::from_host(host), None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn no_datagram_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..MAX_DATAGRAM)) {
            let _ = answer(&bytes);
        }

        #[test]
        fn a_damaged_query_is_answered_within_bounds_or_not_at_all(
            at in 0_usize..50,
            byte in any::<u8>(),
            status in any::<bool>(),
        ) {
            let mut bytes = query(&name("mcos").full(0), if status { 0x21 } else { 0x20 });
            bytes[at] = byte;
            if let Some(answer) = answer(&bytes) {
                prop_assert_eq!(&answer[..2], &bytes[..2]);
                prop_assert!(answer.len() <= 12 + 34 + 10 + 1 + 2 * 18 + STATISTICS);
            }
        }

        #[test]
        fn every_name_survives_encoding(name in any::<[u8; 16]>()) {
            prop_assert_eq!(decode(&encode(&name)), Some(name));
        }
    }
}
