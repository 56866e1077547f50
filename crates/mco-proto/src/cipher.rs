//! The two ciphers of connections that have signed in. Both are keyed from the Session Key and keep one state per
//! direction for the life of a TCP connection (*captured*; `docs/protocol/ciphers.md`): a byte that is left out or
//! encrypted twice makes everything behind it unreadable.
//!
//! They are what the Client of 2001 speaks, and no protection by today's measure: treat what they carry as readable.

use super::session_key::SessionKey;
use cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit, StreamCipher};
use des::Des;
use rc4::Rc4;
use std::fmt;

/// Size of a DES block in bytes; what travels in 0x1101 is a multiple of it.
pub const BLOCK: usize = 8;

/// DES-CBC of a lobby or room connection: the SKey is the first 8 bytes of the Session Key, the IV starts at zero,
/// and the chain runs on over all packets of one direction.
pub struct LobbyCipher {
    outbound: cbc::Encryptor<Des>,
    inbound: cbc::Decryptor<Des>,
}

impl LobbyCipher {
    /// The state of a new connection. Both ends start with the same.
    pub fn new(key: &SessionKey) -> Self {
        let key = Array::from(key.skey());
        let iv = Array::from([0; BLOCK]);
        Self { outbound: KeyIvInit::new(&key, &iv), inbound: KeyIvInit::new(&key, &iv) }
    }

    /// Encrypts what is to be sent next, in place. Bytes behind the last whole block are left as they are.
    pub fn encrypt(&mut self, bytes: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(bytes);
        self.outbound.encrypt_blocks(blocks);
    }

    /// Decrypts what arrived next, in place. Bytes behind the last whole block are left as they are.
    pub fn decrypt(&mut self, bytes: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(bytes);
        self.inbound.decrypt_blocks(blocks);
    }
}

impl fmt::Debug for LobbyCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LobbyCipher")
    }
}

/// RC4 of an MCOTS connection: the key is the first 16 bytes of the Session Key, the same for both directions.
pub struct TransactionCipher {
    outbound: Rc4,
    inbound: Rc4,
}

impl TransactionCipher {
    /// The state of a new connection. Both ends start with the same.
    pub fn new(key: &SessionKey) -> Self {
        // The crate's infallible constructor wants 32 bytes; RC4 repeats its key anyway, so twice the key is the key.
        let key = key.transaction_key();
        let twice: [u8; 32] = std::array::from_fn(|at| key.get(at % 16).copied().unwrap_or_default());
        Self { outbound: Rc4::new(&twice.into()), inbound: Rc4::new(&twice.into()) }
    }

    /// Encrypts what is to be sent next, in place.
    pub fn encrypt(&mut self, bytes: &mut [u8]) {
        self.outbound.apply_keystream(bytes);
    }

    /// Decrypts what arrived next, in place.
    pub fn decrypt(&mut self, bytes: &mut [u8]) {
        self.inbound.apply_keystream(bytes);
    }
}

impl fmt::Debug for TransactionCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransactionCipher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::for_any;

    /// The Session Key of the recorded sitting 17-55-30 (*captured*).
    fn recorded_key() -> SessionKey {
        let hex = "cddafefb266f72710be7746e9cdbd4bb52f7fa4c6b534e954add1f5a08c411f6";
        SessionKey::new(bytes(hex).try_into().unwrap())
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn decrypted(cipher: &mut LobbyCipher, hex: &str) -> Vec<u8> {
        let mut block = bytes(hex);
        cipher.decrypt(&mut block);
        block
    }

    #[test]
    fn the_lobby_cipher_chains_over_packets_as_recorded() {
        let mut cipher = LobbyCipher::new(&recorded_key());
        assert_eq!(decrypted(&mut cipher, "c452221aca3eb495"), bytes("030c0004cdcdcdcd"));
        assert_eq!(decrypted(&mut cipher, "0e726d1ee740e1de"), bytes("0128000800000000"));
        assert_eq!(decrypted(&mut cipher, "dc475dbefff35dfb"), bytes("010c000800000001"));
    }

    #[test]
    fn the_lobby_cipher_encrypts_two_packets_in_one_chain() {
        let mut cipher = LobbyCipher::new(&recorded_key());
        let mut first = bytes("0214000c000000020000232900000000");
        cipher.encrypt(&mut first);
        assert_eq!(first, bytes("769a0b54cb1e030cf99cda72c9d8b480"));
        let mut second = bytes("0209000c0000000200001b5b00000000");
        cipher.encrypt(&mut second);
        assert_eq!(second, bytes("e68106e78718173a3f150397cb2a7edb"));
    }

    #[test]
    fn the_transaction_cipher_runs_on_from_login_into_the_next_request_as_recorded() {
        let mut cipher = TransactionCipher::new(&recorded_key());
        let mut login =
            bytes("9a68f0dd8187e3e74f737b7ef04fe172b71fbca5167de23f31e2faecaa6da5041cf3426c44cc6f");
        cipher.decrypt(&mut login);
        assert_eq!(
            login,
            bytes("6900 6cb45400 15000000 00000000 00000000 00000000 44722042726f776e0000000000 71170000")
        );
        let mut lobbies = bytes("e9d914c35dfaef9fb760");
        cipher.decrypt(&mut lobbies);
        assert_eq!(lobbies, bytes("44010000000000000000"));
    }

    #[test]
    fn both_ciphers_run_on_whatever_the_sizes_of_the_packets() {
        for_any(|(key, packets): ([u8; 32], Vec<Vec<u8>>)| {
            let key = SessionKey::new(key);
            let (mut sender, mut receiver) = (LobbyCipher::new(&key), LobbyCipher::new(&key));
            let (mut writer, mut reader) = (TransactionCipher::new(&key), TransactionCipher::new(&key));
            for packet in packets {
                let mut copy = packet.clone();
                sender.encrypt(&mut copy);
                receiver.decrypt(&mut copy);
                assert_eq!(copy, packet);
                writer.encrypt(&mut copy);
                reader.decrypt(&mut copy);
                assert_eq!(copy, packet);
            }
        });
    }

    #[test]
    fn how_a_stream_is_cut_does_not_matter() {
        for_any(|(key, mut whole, cut): ([u8; 32], Vec<u8>, u16)| {
            let key = SessionKey::new(key);
            let mut parts = whole.clone();
            let at = usize::from(cut) % (whole.len() + 1);
            let mut cipher = TransactionCipher::new(&key);
            cipher.encrypt(&mut parts[..at]);
            cipher.encrypt(&mut parts[at..]);
            TransactionCipher::new(&key).encrypt(&mut whole);
            assert_eq!(parts, whole);

            whole.truncate(whole.len() / BLOCK * BLOCK);
            let mut parts = whole.clone();
            let at = usize::from(cut) % (whole.len() / BLOCK + 1) * BLOCK;
            let mut cipher = LobbyCipher::new(&key);
            cipher.encrypt(&mut parts[..at]);
            cipher.encrypt(&mut parts[at..]);
            LobbyCipher::new(&key).encrypt(&mut whole);
            assert_eq!(parts, whole);
        });
    }

    #[test]
    fn bytes_beyond_the_last_whole_block_are_left_alone() {
        let mut bytes = [7; BLOCK + 3];
        LobbyCipher::new(&recorded_key()).encrypt(&mut bytes);
        assert_eq!((bytes[..BLOCK] == [7; BLOCK], &bytes[BLOCK..]), (false, &[7; 3][..]));
    }
}
