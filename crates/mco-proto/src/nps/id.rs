//! Message numbers of NPS. Routing goes by number; [`name`] serves logs only.

/// Whether `id` can be the number of a message on 8226 or 8228. What port scanners and browsers send can't
/// (*seen in use*: the ranges are the community's filter).
pub const fn plausible(id: u16) -> bool {
    matches!(id, 0x0100..=0x0901 | 0x1001..=0x1301)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        $($(#[$doc])* pub const $name: u16 = $id;)*

        /// The community's name of a message number, for logs.
        pub const fn name(id: u16) -> &'static str {
            match id {
                $($id => stringify!($name),)*
                _ => "unknown",
            }
        }
    };
}

ids! {
    /// Relay to everybody in a channel, short form.
    RELAY_ALL = 0x0080,
    /// Relay to the server's plug-in, short form.
    RELAY_PLUG_IN = 0x0081,
    /// Relay to everybody who is ready, short form.
    RELAY_READY_LIST = 0x0082,
    /// Relay to some, short form.
    RELAY_LIST = 0x0083,
    /// Relay to all but some, short form.
    RELAY_NOT_LIST = 0x0084,
    /// Relay to a buddy, short form.
    RELAY_BUDDY = 0x0085,
    /// Relay to one, short form.
    RELAY_SINGLE = 0x0086,
    /// Relay to all but one, short form.
    RELAY_NOT_SINGLE = 0x0087,
    /// Relay of unknown addressing, short form.
    RELAY_GAME_MESSAGE = 0x0088,
    /// Relay to everybody in a channel, long form.
    RELAY_LONG_ALL = 0x0089,
    /// Relay to everybody in a channel, long form, once kept in a log.
    RELAY_LOGGED_ALL = 0x008A,
    /// Relay to the server's plug-in, long form.
    RELAY_LONG_PLUG_IN = 0x008B,
    /// Relay to the server's plug-in, long form, once kept in a log.
    RELAY_LOGGED_PLUG_IN = 0x008C,
    /// Relay to everybody who is ready, long form.
    RELAY_LONG_READY_LIST = 0x008D,
    /// Relay to everybody who is ready, long form, once kept in a log.
    RELAY_LOGGED_READY_LIST = 0x008E,
    /// Relay to some, long form.
    RELAY_LONG_LIST = 0x008F,
    /// Relay to some, long form, once kept in a log.
    RELAY_LOGGED_LIST = 0x0090,
    /// Relay to all but some, long form.
    RELAY_LONG_NOT_LIST = 0x0091,
    /// Relay to all but some, long form, once kept in a log.
    RELAY_LOGGED_NOT_LIST = 0x0092,
    /// Relay to a buddy, long form.
    RELAY_LONG_BUDDY = 0x0093,
    /// Relay to a buddy, long form, once kept in a log.
    RELAY_LOGGED_BUDDY = 0x0094,
    /// Relay to one, long form.
    RELAY_LONG_SINGLE = 0x0095,
    /// Relay to one, long form, once kept in a log.
    RELAY_LOGGED_SINGLE = 0x0096,
    /// Relay to all but one, long form.
    RELAY_LONG_NOT_SINGLE = 0x0097,
    /// Relay to all but one, long form, once kept in a log.
    RELAY_LOGGED_NOT_SINGLE = 0x0098,
    /// Relay of unknown addressing, long form.
    RELAY_LONG_GAME_MESSAGE = 0x0099,
    /// Relay of unknown addressing, long form, once kept in a log.
    RELAY_LOGGED_GAME_MESSAGE = 0x009A,
    /// Lobby and room login, Client to Server.
    LOGIN = 0x0100,
    /// Who is in a channel.
    GET_USER_LIST = 0x0101,
    /// The sender's own user data.
    GET_MY_USER_DATA = 0x0102,
    /// Sets the 64 bytes that draw a player's car and driver.
    SET_MY_USER_DATA = 0x0103,
    /// Leaves the server; a Client closes the connection instead.
    LOG_OFF_SERVER = 0x0104,
    /// Leaves a channel.
    CLOSE_COMM_CHANNEL = 0x0105,
    /// Enters or makes a channel.
    OPEN_COMM_CHANNEL = 0x0106,
    /// How many are connected.
    GET_CLIENT_COUNT = 0x0107,
    /// The sender is ready to race; from the Server: somebody is, or no longer.
    READY_FOR_GAME = 0x0109,
    /// The host of a race wants everybody to go to the race server.
    START_GAME_SERVER = 0x010A,
    /// Address of a room server.
    GET_SERVER_INFO = 0x010C,
    /// Ready, or no longer.
    SET_COMM_FLAGS = 0x010D,
    /// Who is ready in a channel.
    GET_READY_LIST = 0x010E,
    /// The host's description of a race has changed.
    SET_CHANNEL_DATA = 0x0113,
    /// The host of a race throws somebody out.
    BOOT_USER_FROM_CHANNEL = 0x0117,
    /// Where is a player?
    LOCATE_USER = 0x0118,
    /// The host of a race ends it.
    TERMINATE_GAME_SERVER = 0x011D,
    /// Ready.
    SET_READY_FOR_GAME = 0x011F,
    /// Answer to [`LOGIN`].
    LOGIN_RESP = 0x0120,
    /// State of UDP; arrives in clear and wants no answer.
    UDP_STATUS = 0x0125,
    /// The user data of a player.
    GET_USER_INFO = 0x0126,
    /// Names in a channel.
    GET_MINI_USER_LIST = 0x0128,
    /// Somebody left the server.
    USER_LEFT = 0x0202,
    /// Somebody came to the server.
    USER_JOINED = 0x0203,
    /// The user data of one player.
    USER_INFO = 0x0204,
    /// Answer to [`GET_CLIENT_COUNT`].
    CLIENT_COUNT = 0x0206,
    /// Done.
    ACK = 0x0207,
    /// Somebody left a channel.
    USER_LEFT_CHANNEL = 0x0208,
    /// Answer to [`CLOSE_COMM_CHANNEL`].
    CHANNEL_CLOSED = 0x0209,
    /// A name is taken.
    DUP_USER = 0x020A,
    /// The server has no room left.
    SERVER_FULL = 0x020B,
    /// Somebody came into a channel.
    USER_JOINED_CHANNEL = 0x020C,
    /// Answer to [`GET_SERVER_INFO`].
    SERVER_INFO = 0x020D,
    /// A race can be joined.
    CHANNEL_CREATED = 0x020E,
    /// A race can no longer be joined.
    CHANNEL_DELETED = 0x020F,
    /// Answer to [`GET_READY_LIST`].
    READY_LIST = 0x0210,
    /// Answer to [`GET_USER_LIST`].
    USER_LIST = 0x0211,
    /// A channel can't be entered.
    CHANNEL_DENIED = 0x0213,
    /// Answer to [`OPEN_COMM_CHANNEL`].
    CHANNEL_GRANTED = 0x0214,
    /// Sign of life, both ways, in clear.
    HEARTBEAT = 0x0217,
    /// A race's description has changed.
    CHANNEL_UPDATE = 0x0219,
    /// The receiver was thrown out of a channel.
    FORCE_LEAVE_CHANNEL = 0x021A,
    /// Answer to [`LOCATE_USER`].
    USER_LOCATION = 0x021B,
    /// The race server is ready.
    GAME_SERVER_STARTED = 0x021C,
    /// The race server has ended.
    GAME_SERVER_TERMINATED = 0x021D,
    /// The race server starts, or runs.
    GAME_SERVER_STATE_CHANGE = 0x0224,
    /// A race has a new host.
    CHANNEL_MASTER = 0x0227,
    /// Answer to [`GET_MINI_USER_LIST`].
    MINI_USER_LIST = 0x0229,
    /// Lobby login refused.
    INVALID_KEY = 0x022A,
    /// The lobby's greeting: a Client waits for it before it logs in.
    OK_TO_LOGIN = 0x0230,
    /// The list of open races is wanted.
    SEND_RIFF_LIST = 0x0302,
    /// The list of race servers is wanted.
    SEND_GAME_SERVERS_LIST = 0x0309,
    /// The channel directory is wanted.
    SEND_MINI_RIFF_LIST = 0x030C,
    /// The list of open races.
    RIFF_LIST = 0x0401,
    /// The list of race servers.
    GAME_SERVERS_LIST = 0x0402,
    /// The channel directory.
    MINI_RIFF_LIST = 0x0404,
    /// Login with Context and encrypted Session Key.
    USER_LOGIN = 0x0501,
    /// Selects a persona.
    REGISTER_GAME_LOGIN = 0x0503,
    /// Creates a persona.
    NEW_GAME_ACCOUNT = 0x0507,
    /// How many buddies.
    GET_BUDDY_LIST = 0x050B,
    /// Leaves a persona.
    REGISTER_GAME_LOGOUT = 0x050F,
    /// Deletes a persona.
    DELETE_GAME_PERSONA = 0x0512,
    /// Looks a persona up, by name or by id.
    GET_PERSONA_INFO = 0x0519,
    /// A mail is to be sent.
    SEND_EMAIL = 0x0523,
    /// A mail is wanted.
    RECEIVE_EMAIL = 0x0524,
    /// Mails are to be deleted.
    DELETE_EMAILS = 0x0525,
    /// The mail list is wanted.
    LIST_EMAILS = 0x0526,
    /// The personas of an account are wanted.
    GET_PERSONA_MAPS = 0x0532,
    /// Is this persona name free?
    VALIDATE_PERSONA_NAME = 0x0533,
    /// Is this text fit for a licence plate?
    CHECK_TOKEN = 0x0534,
    /// Login accepted; also: name free, persona made.
    USER_VALID = 0x0601,
    /// Login refused.
    USER_INVALID = 0x0602,
    /// The personas of an account.
    GAME_ACCOUNT_INFO = 0x0607,
    /// A persona was deleted.
    PERSONA_DELETED = 0x060C,
    /// Answer to [`GET_BUDDY_LIST`].
    BUDDY_LIST_COUNT = 0x0614,
    /// One mail.
    MAIL = 0x0619,
    /// Answer to [`LIST_EMAILS`].
    MAIL_LIST = 0x061B,
    /// Login refused: the account is banned.
    USER_BANNED = 0x0626,
    /// A persona can't be made: the name is taken.
    DUP_PERSONA = 0x0625,
    /// RSA public-key message; never sent by a Client.
    PUBLIC_KEY = 0x1001,
    /// The DES-CBC envelope of lobby and rooms.
    ENCRYPTED = 0x1101,
}
