//! The keys of the Server itself.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::records::account::LoginKey;
use super::ticket::Changed;

/// The verbs about keys. See [`Store::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about the Server's own keys.
    pub fn keys(&self) -> Keys<'_> {
        Keys { store: self }
    }
}

impl Keys<'_> {
    /// The private key to which Clients encrypt what they send to Login, as PKCS#8 DER.
    pub fn login_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let key: Option<LoginKey> = self.store.table().get(key::LOGIN_KEY)?;
        Ok(key.map(|mut key| std::mem::take(&mut key.0)))
    }

    /// Stores the login key, or replaces it. `der` is PKCS#8.
    pub fn set_login_key(&self, der: &[u8]) -> Result<Changed<()>, StoreError> {
        let record = LoginKey(der.to_vec());
        self.store.change(|table| table.transact(|tx| tx.put(key::LOGIN_KEY, &record)))
    }
}
