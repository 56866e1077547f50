//! Persona service, port 8228. See `docs/protocol/login-persona-mail.md`.

use crate::bytes::{Count, Rest};
use crate::ids::{CustomerId, PersonaId, ShardId};
use crate::layout;
use crate::text::{Chars, Str16};
use crate::{Malformed, Reader, TooLong, Wire, Writer};

layout! {
    /// 0x0532, Client to Server (*captured*): which personas does this account have?
    pub struct GetPersonaMaps {
        pub customer: CustomerId,
    }

    /// 0x0503, Client to Server (*captured*): the User picked this persona.
    pub struct RegisterGameLogin {
        pub customer: CustomerId,
        pub persona: PersonaId,
        pub shard: ShardId,
    }

    /// 0x050F, Client to Server (*captured*): the User leaves this persona.
    pub struct RegisterGameLogout {
        pub customer: CustomerId,
        pub persona: PersonaId,
        pub shard: ShardId,
    }

    /// 0x0533, Client to Server (*captured*, 2018/19): may a new persona have this name?
    pub struct ValidatePersonaName {
        pub customer: CustomerId,
        pub name: Str16<64>,
        /// "Motor City".
        pub service: Str16<64>,
    }

    /// 0x0534, Client to Server (*captured*, 2018/19): is this text fit for use?
    pub struct CheckToken {
        /// What the text is for: 2 was a licence plate.
        pub kind: u32,
        pub text: Str16<256>,
    }

    /// 0x0507, Client to Server, and its answer under 0x0601: a new persona. That the number is right and 0x0601 makes the
    /// Client go on was *seen in use*; the layout is a community parser's, weak, and nobody published a real packet.
    pub struct NewGameAccount {
        pub customer: CustomerId,
        pub name: Str16<32>,
        /// Unknown.
        pub server_data: u32,
        /// Unix seconds.
        pub created: u32,
        /// Unix seconds.
        pub last_login: u32,
        /// How often this persona was played.
        pub games: u32,
        /// 0 in the request, the new persona's id in the answer (*inferred*).
        pub persona: PersonaId,
        /// On-line times, serial number, blobs, level, shard: not interpreted.
        pub rest: Rest,
    }

    /// The beginning of 0x0507: all that is needed of it.
    pub struct NewGameAccountHead {
        pub customer: CustomerId,
        pub name: Str16<32>,
    }

    /// The same as a fixed-size record without counts (*seen in use*, weak): the other way 0x0507 may look.
    pub struct NewGameAccountRecord {
        pub customer: CustomerId,
        pub name: Chars<33>,
        /// Unknown.
        pub server_data: u32,
        /// Unix seconds.
        pub created: u32,
        /// Unix seconds.
        pub last_login: u32,
        /// How often this persona was played.
        pub games: u32,
        /// 0 in the request, the new persona's id in the answer (*inferred*).
        pub persona: PersonaId,
        /// Not interpreted.
        pub rest: Rest,
    }

    /// 0x0512, Client to Server: deletes a persona. Never captured; the layout is that of 0x0503 (*inferred*), and the
    /// shard that may follow is not needed.
    pub struct DeleteGamePersona {
        pub customer: CustomerId,
        pub persona: PersonaId,
    }

    /// 0x0519 with a body of 4 bytes, Client to Server (*seen in use*): who is this?
    pub struct GetPersonaInfoById {
        /// The persona asked about.
        pub persona: PersonaId,
    }

    /// 0x0519 with a longer body, Client to Server (*seen in use* by older builds): is this name free?
    pub struct GetPersonaInfoByName {
        pub customer: CustomerId,
        /// "Motor City".
        pub service: Str16<64>,
        /// The name asked about.
        pub name: Str16<64>,
    }

    /// 0x050B, Client to Server (*captured*): how many buddies?
    pub struct GetBuddyList {
        /// The persona whose list it is.
        pub persona: PersonaId,
    }

    /// 0x0614, Server to Client (*captured*): so many buddies. What a Client does with a count above 0 is unknown.
    pub struct BuddyListCount {
        pub count: u16,
    }

    /// 0x0207, Server to Client (*captured*): the answer to 0x0503, 255 bytes long for no known reason.
    pub struct LongAck {
        /// All zero in every recorded one.
        pub zeros: [u8; 251],
    }

    /// 0x0607, Server to Client: the personas of an account.
    pub struct PersonaList {
        pub personas: Personas,
    }
}

/// The name of the game in requests about a persona's name (*captured*).
pub const GAME: &[u8; 10] = b"Motor City";

impl ValidatePersonaName {
    /// Asks whether a new persona of this account may have this name, with everything else as *captured*.
    pub fn new(customer: CustomerId, name: Str16<64>) -> Self {
        Self { customer, name, service: Str16::constant(GAME) }
    }
}

impl NewGameAccount {
    /// A persona that is to be made, never played before.
    pub fn new(customer: CustomerId, name: Str16<32>) -> Self {
        Self {
            customer,
            name,
            server_data: 0,
            created: 0,
            last_login: 0,
            games: 0,
            persona: PersonaId(0),
            // Off line, never bought, no serial number, no blobs, level 0, shard 0: 20 fields whose zeros need no names.
            rest: Rest(vec![0; 64]),
        }
    }
}

/// One persona in [`PersonaList`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct PersonaEntry {
    /// The account.
    pub customer: CustomerId,
    /// The persona.
    pub persona: PersonaId,
    /// The persona's shard.
    pub shard: ShardId,
    /// Unix seconds (*inferred*; a debug Client shows it behind the name).
    pub created: u32,
    /// At most 31 characters.
    pub name: Chars<32>,
}

/// The records of [`PersonaList`], in one of two images.
///
/// Exactly one persona: the 66 bytes that Clients are proven to read (*captured*). Two or more: records of 79 bytes
/// such that both readings of the only experiment with two personas come out right (*inferred*; see the reference).
/// None: the count alone, which makes a Client offer to create a persona (*seen in use*).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Personas(Vec<PersonaEntry>);

impl Personas {
    /// The most personas a list carries.
    pub const MOST: usize = 32;
    /// Record size behind its size word, and the name's share of it, for two or more personas.
    const RECORD: u16 = 77;
    const NAME_FIELD: u16 = 61;
    /// What follows the name's 32 bytes in such a record.
    const FILLER: usize = 27;

    /// All of `entries`.
    ///
    /// # Errors
    /// If they are more than [`Self::MOST`].
    pub fn new(entries: impl IntoIterator<Item = PersonaEntry>) -> Result<Self, TooLong> {
        let entries: Vec<_> = entries.into_iter().collect();
        TooLong::check(entries.len(), Self::MOST)?;
        Ok(Self(entries))
    }

    /// The first of `entries`, as many as the list carries; the others are left out.
    pub fn first_n(entries: impl IntoIterator<Item = PersonaEntry>) -> Self {
        Self(entries.into_iter().take(Self::MOST).collect())
    }
}

impl std::ops::Deref for Personas {
    type Target = [PersonaEntry];
    fn deref(&self) -> &[PersonaEntry] {
        &self.0
    }
}

impl Wire for Personas {
    const MOST_BYTES: usize = u16::MOST_BYTES + Self::MOST * (2 + Self::RECORD as usize) + 2;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = u16::read(reader)?.get();
        let count = reader.length(count, Self::MOST)?;
        let mut personas = Vec::with_capacity(count);
        for _ in 0..count {
            let _size = u16::read(reader)?;
            let customer = Wire::read(reader)?;
            let persona = Wire::read(reader)?;
            let shard = Wire::read(reader)?;
            let created = Wire::read(reader)?;
            let _name_length = u16::read(reader)?;
            let name = Wire::read(reader)?;
            personas.push(PersonaEntry { customer, persona, shard, created, name });
            if count > 1 {
                reader.take(Self::FILLER)?;
            }
        }
        Ok(Self(personas))
    }

    fn write(&self, writer: &mut Writer) {
        u16::of(self.len()).write(writer);
        let several = self.len() > 1;
        for entry in self.iter() {
            (if several { Self::RECORD } else { 1 }).write(writer);
            entry.customer.write(writer);
            entry.persona.write(writer);
            entry.shard.write(writer);
            entry.created.write(writer);
            (if several { Self::NAME_FIELD } else { u16::of(entry.name.to_string().chars().count()) })
                .write(writer);
            entry.name.write(writer);
            if several {
                writer.zeros(Self::FILLER);
            }
        }
        if several {
            writer.zeros(2);
        }
    }
}

/// 0x0507 in any of the layouts it may have.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub enum NewPersona {
    /// With a counted name.
    Counted(NewGameAccount),
    /// With a name of fixed size.
    Fixed(NewGameAccountRecord),
    /// Only who and which name could be read.
    Head(NewGameAccountHead),
}

impl Wire for NewPersona {
    const MOST_BYTES: usize = NewGameAccountRecord::MOST_BYTES;

    /// A counted name has a zero as its first byte, since no name is 256 letters long; one of fixed size has a letter there.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let [.., first_of_name] = reader.clone().array::<5>()?;
        if first_of_name != 0 {
            return Wire::read(reader).map(Self::Fixed);
        }
        let head = reader.clone();
        Wire::read(reader).map(Self::Counted).or_else(|_| {
            *reader = head;
            Wire::read(reader).map(Self::Head)
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Counted(request) => request.write(writer),
            Self::Fixed(request) => request.write(writer),
            Self::Head(request) => request.write(writer),
        }
    }
}

/// 0x0519 in one of two layouts, told apart by their size.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub enum GetPersonaInfo {
    /// Who is this?
    ById(GetPersonaInfoById),
    /// Is this name free?
    ByName(GetPersonaInfoByName),
}

impl Wire for GetPersonaInfo {
    const MOST_BYTES: usize = GetPersonaInfoByName::MOST_BYTES;

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        const BY_ID: usize = 4;
        if reader.remaining() > BY_ID {
            Wire::read(reader).map(Self::ByName)
        } else {
            Wire::read(reader).map(Self::ById)
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::ById(request) => request.write(writer),
            Self::ByName(request) => request.write(writer),
        }
    }
}
