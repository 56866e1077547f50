//! Passwords: what may be one, and how it is kept.
//!
//! argon2id with 12 MiB, 2 passes, 1 lane. The smallest board has 512 MB, and a login there should take a fraction of
//! a second; 12 MiB keeps guessing expensive for graphics cards without the server ever needing more than 24 MiB,
//! because no more than two evaluations run at once. The parameters are stored with each hash, so they can be raised
//! later without anybody losing an account.

use super::error::StoreError;
use super::ticket::lock;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Output, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use std::fmt;
use std::mem::take;
use std::sync::{Condvar, Mutex, PoisonError};
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 12 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const AT_ONCE: usize = 2;

/// Stands in for the hash of an account that does not exist, so that looking for it costs the same.
const DECOY: &str =
    "$argon2id$v=19$m=12288,t=2,p=1$bW90b3IgY2l0eSBvbmxpbmU$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that the Client can send. Wiped from memory when dropped, and never shown.
pub struct Password(Zeroizing<String>);

/// Why something cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Fewer than 4 characters.
    TooShort,
    /// More than 32 characters.
    TooLong,
    /// A character which the Client does not carry through to the Server.
    BadCharacter,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "the password is too short: use at least 4 characters",
            Self::TooLong => "the password is too long: use at most 32 characters",
            Self::BadCharacter => {
                "the game cannot send this password: use letters, digits and signs other than & % + # < > ' \" and space"
            }
        })
    }
}

impl std::error::Error for PasswordError {}

impl Password {
    /// Takes 4 to 32 printable ASCII characters without `&`, `%`, `+`, `#`, `<`, `>`, quotes and space: the Client puts
    /// the password into a URL as it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(password: &str) -> Result<Self, PasswordError> {
        if !password.bytes().all(|byte| byte.is_ascii_graphic() && !b"&%+\"'#<>".contains(&byte)) {
            return Err(PasswordError::BadCharacter);
        }
        match password.len() {
            0..4 => Err(PasswordError::TooShort),
            4..=32 => Ok(Self(Zeroizing::new(password.to_owned()))),
            _ => Err(PasswordError::TooLong),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// A new salted hash, as the text that is stored.
    pub(super) fn hash(&self) -> Result<String, StoreError> {
        hash(&self.0)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// A new salted hash of any password, as the text that is stored. Costs one evaluation.
pub(super) fn hash(password: &str) -> Result<String, StoreError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    let salt = SaltString::generate(&mut OsRng);
    let output = evaluate(password, salt.as_salt(), &params, Params::DEFAULT_OUTPUT_LEN)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().map_err(failed)?,
        salt: Some(salt.as_salt()),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Whether `password` belongs to the stored hash. Costs one evaluation, with and without a hash to compare with.
pub(super) fn matches(password: &str, hash: Option<&str>) -> Result<bool, StoreError> {
    let parsed = PasswordHash::new(hash.unwrap_or(DECOY)).map_err(failed)?;
    let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
        return Err(failed("it is not whole"));
    };
    let params = Params::try_from(&parsed).map_err(failed)?;
    let output = evaluate(password, salt, &params, expected.len())?;
    // Outputs compare in constant time.
    Ok(output == expected && hash.is_some())
}

/// One evaluation of argon2id, in memory that is used again for the next: 12 MiB at a time taken and given back leave
/// the allocator with holes that grow to hundreds of MiB (measured).
fn evaluate(password: &str, salt: Salt<'_>, params: &Params, length: usize) -> Result<Output, StoreError> {
    let mut salt_bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut salt_bytes).map_err(failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut permit = Permit::wait();
    Output::init_with(length, |output| {
        let memory = permit.memory(params.block_count());
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory)?)
    })
    .map_err(failed)
}

fn failed(error: impl fmt::Display) -> StoreError {
    StoreError::Database(format!("password hash: {error}").into())
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: AT_ONCE, idle: Vec::new(), used: false });
static RETURNED: Condvar = Condvar::new();

struct Pool {
    /// How many more evaluations may run.
    free: usize,
    /// Memory of evaluations that are over.
    idle: Vec<Vec<Block>>,
    /// Whether there was an evaluation since [`rest`].
    used: bool,
}

/// Gives memory back that nobody has used since the last call: one login a minute must not make the allocator's holes grow.
pub(super) fn rest() {
    let mut pool = lock(&POOL);
    if take(&mut pool.used) {
        return;
    }
    let idle = take(&mut pool.idle);
    drop(pool);
    drop(idle);
}

/// The right to an evaluation, with memory for it.
struct Permit(Vec<Block>);

impl Permit {
    fn wait() -> Self {
        #[cfg(test)]
        tests::EVALUATIONS.with(|count| count.set(count.get() + 1));
        let pool = lock(&POOL);
        let mut pool =
            RETURNED.wait_while(pool, |pool| pool.free == 0).unwrap_or_else(PoisonError::into_inner);
        pool.free -= 1;
        pool.used = true;
        Self(pool.idle.pop().unwrap_or_default())
    }

    fn memory(&mut self, blocks: usize) -> &mut [Block] {
        if self.0.len() < blocks {
            self.0 = vec![Block::default(); blocks];
        }
        self.0.get_mut(..blocks).unwrap_or_default()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut pool = lock(&POOL);
        pool.free += 1;
        pool.idle.push(take(&mut self.0));
        RETURNED.notify_one();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// How many evaluations this thread has paid for.
        pub(crate) static EVALUATIONS: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn passwords_the_client_cannot_send_are_refused() {
        for (text, error) in [
            ("abc", PasswordError::TooShort),
            ("", PasswordError::TooShort),
            (&"x".repeat(33), PasswordError::TooLong),
            ("a&bcd", PasswordError::BadCharacter),
            ("a%bcd", PasswordError::BadCharacter),
            ("a+bcd", PasswordError::BadCharacter),
            ("a bcd", PasswordError::BadCharacter),
            ("a'bcd", PasswordError::BadCharacter),
            ("a\"bcd", PasswordError::BadCharacter),
            ("a\u{e9}bcd", PasswordError::BadCharacter),
            ("a\0bcd", PasswordError::BadCharacter),
        ] {
            assert_eq!(Password::new(text).err(), Some(error), "{text:?}");
        }
        assert!(Password::new("abcd").is_ok());
        assert!(Password::new(&"~".repeat(32)).is_ok());
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::new("s3cret!").unwrap();
        assert!(!format!("{password:?}").contains("s3cret"));
    }

    #[test]
    fn a_hash_is_salted_and_matches_only_its_password() {
        let password = Password::new("s3cret!").unwrap();
        let (one, two) = (password.hash().unwrap(), password.hash().unwrap());
        assert_ne!(one, two);
        assert!(matches("s3cret!", Some(&one)).unwrap());
        assert!(!matches("S3cret!", Some(&one)).unwrap());
        assert!(!matches("", Some(&one)).unwrap());
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs_and_matches_nothing() {
        let real = Password::new("s3cret!").unwrap().hash().unwrap();
        let (real, decoy) = (PasswordHash::new(&real).unwrap(), PasswordHash::new(DECOY).unwrap());
        assert_eq!(Params::try_from(&real).unwrap(), Params::try_from(&decoy).unwrap());
        assert_eq!((real.algorithm, real.version), (decoy.algorithm, decoy.version));
        assert!(!matches("s3cret!", None).unwrap());
    }
}
