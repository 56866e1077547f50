//! The box's own certificate authority, and the two certificates it serves with.
//!
//! A home server has no name that a public authority would vouch for, so it vouches for itself: players install the
//! authority's certificate once (`/cert`, or the player kit), and the server's certificates follow its addresses.
//!
//! # Choices
//! * **Authority: RSA-2048, SHA-256.** Windows XP from Service Pack 3 reads it, and so does everything later (*documented*).
//!   It may vouch for TLS servers only (extended key usage), so that its key, if it is ever stolen, signs no programs.
//! * **Two certificates with the same names**: ECDSA P-256 for TLS 1.2/1.3, because Windows 7 and 8.1 share no other
//!   kind of suite with rustls, and RSA-2048 for the legacy protocols.
//! * **Valid from 2000-01-01 to 2037-12-31.** A board without a battery starts its clock anywhere, and the PCs this is for
//!   may think it is 2001. The end lies before 2^31 seconds (2038-01-19), behind which the clocks of old software turn
//!   over, and before 2050, up to which X.509 writes years with two digits, as the oldest readers expect. That no
//!   certificate expires in a player's lifetime of the game costs little: whoever has the key has the box.
//! * **Each address as IP address and as DNS name**: older Windows and Wine compare an address with DNS names only.
//!   The latter stand last, because strict readers give up at a DNS name that can't be one.
//! * **No name constraints.** A limit to the server's own names and to private addresses was tried and does not go together with
//!   the choice above. A limit on DNS names is applied to every DNS name of a certificate, and an address spelled as one is
//!   either outside of it (OpenSSL, GnuTLS: the certificate is refused), or needs a permitted name that is a number, which
//!   webpki, and by the same rules Firefox (*inferred*), takes for damage, and then trusts nothing of this authority. A limit on addresses alone would keep
//!   nobody from a name. So what its key could do is limited by its use (TLS servers only, no further authorities), by the
//!   mode of its file, and by `undo.bat`, which takes the certificate from a PC; the kit says what trusting it means.
//! * **Nothing to fetch**: no revocation list, no OCSP; a PC that can't reach them would wait or refuse.
//!
//! # Files
//! `tls/authority.pem` (key and certificate) and `tls/leaves.pem` (the two keys and certificates, and the names they were
//! made for) in the data directory, mode 0600, each replaced as a whole. A file that can't be read is set aside as
//! `.damaged-` with the time. The authority is then looked for in the backup beside the database; what is not there is made anew,
//! with a loud line in the log.

use super::error::AuthorityError;
use super::files::{block, read, sections, set_aside, write};
use super::names::Names;
use crate::atomic_file;
use crate::store::Store;
use data_encoding::HEXLOWER;
use rand::RngCore as _;
use rand::rngs::OsRng;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData as _, SanType,
    SerialNumber, date_time_ymd,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rustls::pki_types::pem::SectionKind;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha1::{Digest as _, Sha1};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const FOLDER: &str = "tls";
const AUTHORITY: &str = "authority.pem";
const LEAVES: &str = "leaves.pem";
/// Precedes the names in the file of the leaves.
const NAMES: &str = "Names: ";
const RSA_BITS: usize = 2048;
/// First and last year of validity.
const VALID: (i32, i32) = (2000, 2037);

/// A certificate with its key.
pub struct Leaf {
    /// The certificate and the authority's.
    pub chain: Vec<CertificateDer<'static>>,
    /// Belongs to the first certificate of `chain`; PKCS #8, DER.
    pub key: PrivatePkcs8KeyDer<'static>,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaf")
    }
}

/// What the server proves itself with.
#[derive(Debug)]
pub struct Leaves {
    /// Under which names.
    pub names: Names,
    /// ECDSA P-256.
    pub modern: Leaf,
    /// RSA-2048.
    pub legacy: Leaf,
}

/// The authority and what it issued last.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    leaves: Mutex<Arc<Leaves>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Authority {
    /// Opens the authority in the data directory `data`, with certificates for `names`. What is missing is made; the
    /// first start takes as long as finding two RSA keys does: below a second on a PC, several on a small board.
    pub fn open(data: &Path, names: &Names) -> Result<Self, AuthorityError> {
        let folder = data.join(FOLDER);
        atomic_file::create_private_dir(&folder)
            .map_err(|error| AuthorityError::File(folder.clone(), error))?;
        // Both keys at once, should both be needed.
        let (authority, kept) = thread::scope(|scope| {
            let kept = scope.spawn(|| KeptLeaves::open(&folder));
            let authority = open_authority(&folder, data);
            (authority, kept.join())
        });
        let (issuer, certificate) = authority?;
        let mut kept =
            kept.unwrap_or_else(|_| Err(AuthorityError::Crypto("no RSA key was found".to_owned())))?;
        let current =
            kept.certificates.as_ref().is_some_and(|old| old.authority == certificate && old.names == *names);
        if !current {
            kept.issue(names, &issuer, &certificate)?;
            kept.save_if_possible(&folder);
        }
        let leaves = Mutex::new(Arc::new(kept.into_leaves()?));
        Ok(Self { folder, issuer, certificate, leaves })
    }

    /// Makes the certificates anew, with the same keys, if among `names` is one that they lack, or another public name. Returns
    /// whether that was so. Addresses of before stay in them until the next start.
    pub fn refresh(&self, names: &Names) -> Result<bool, AuthorityError> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        let names = names.with_addresses_of(&leaves.names);
        if leaves.names == names {
            return Ok(false);
        }
        let mut kept = KeptLeaves::of(&leaves);
        kept.issue(&names, &self.issuer, &self.certificate)?;
        kept.save_if_possible(&self.folder);
        *leaves = Arc::new(kept.into_leaves()?);
        log::info!("certificates made anew for {names}");
        Ok(true)
    }

    /// What the server proves itself with now.
    pub fn leaves(&self) -> Arc<Leaves> {
        Arc::clone(&self.leaves.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The authority's certificate, for players to install: PEM text with the line ends of Windows.
    pub fn certificate_pem(&self) -> String {
        block("CERTIFICATE", &self.certificate, LineEnding::CRLF)
    }

    /// The same in DER form.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }
}

/// What the authority signs with, and its certificate.
type Signer = (Issuer<'static, KeyPair>, CertificateDer<'static>);

/// The authority from its file, or from the backup beside the database if that is damaged or missing, or a new one.
fn open_authority(folder: &Path, data: &Path) -> Result<Signer, AuthorityError> {
    let path = folder.join(AUTHORITY);
    let there = read(&path)?;
    if let Some(signer) = there.as_deref().and_then(signer) {
        return Ok(signer);
    }
    if there.is_some() {
        set_aside(&path)?;
        log::warn!("{} is damaged and was set aside", path.display());
    }
    if let Some(kept) = Store::kept_authority(data)
        && let Some(signer) = signer(&sections(&kept))
    {
        write(&path, &String::from_utf8_lossy(&kept))?;
        log::warn!("{} was brought back from the backup; players need do nothing", path.display());
        return Ok(signer);
    }
    if there.is_some() {
        log::error!(
            "this server has a new certificate authority now, and every player has to install the new certificate from /cert"
        );
    }
    log::info!("making the certificate authority of this server, once");
    let key = key_pair(new_rsa_key()?, &PKCS_RSA_SHA256)?;
    let params = authority_params(&key);
    let certificate = params.self_signed(&key)?.der().clone();
    let text = block("PRIVATE KEY", key.serialized_der(), LineEnding::LF)
        + &block("CERTIFICATE", &certificate, LineEnding::LF);
    write(&path, &text)?;
    Ok((Issuer::new(params, key), certificate))
}

/// The authority whose file has these blocks.
fn signer(sections: &[(SectionKind, Vec<u8>)]) -> Option<Signer> {
    let [(SectionKind::PrivateKey, key), (SectionKind::Certificate, certificate)] = sections else {
        return None;
    };
    let key = key_pair(key.clone(), &PKCS_RSA_SHA256).ok()?;
    certificate
        .windows(key.der_bytes().len())
        .any(|window| window == key.der_bytes())
        .then(|| (Issuer::new(authority_params(&key), key), CertificateDer::from(certificate.clone())))
}

/// What the authority's certificate says. All of it follows from the key, so that the file need not be taken apart; and
/// two servers of one player have authorities with different names.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut fingerprint = HEXLOWER.encode(&Sha1::digest(key.der_bytes()));
    fingerprint.truncate(8);
    let mut params = params(&format!("mcos {fingerprint} (Motor City Online at home)"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    params.not_before = date_time_ymd(VALID.0, 1, 1);
    params.not_after = date_time_ymd(VALID.1, 12, 31);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut serial = [0; 16];
    OsRng.fill_bytes(&mut serial);
    // Positive, and never shorter than the others.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

/// What the file of the leaves holds.
struct KeptLeaves {
    modern: Vec<u8>,
    legacy: Vec<u8>,
    certificates: Option<Certificates>,
}

struct Certificates {
    names: Names,
    modern: CertificateDer<'static>,
    legacy: CertificateDer<'static>,
    authority: CertificateDer<'static>,
}

impl KeptLeaves {
    /// From the file; without one, new keys that have no certificates yet.
    fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let path = folder.join(LEAVES);
        if let Some(sections) = read(&path)? {
            use SectionKind::{Certificate, PrivateKey};
            let text = fs::read_to_string(&path).unwrap_or_default();
            let names =
                text.lines().find_map(|line| line.strip_prefix(NAMES)).and_then(|names| names.parse().ok());
            if let Some(names) = names
                && let [
                    (PrivateKey, modern_key),
                    (Certificate, modern),
                    (PrivateKey, legacy_key),
                    (Certificate, legacy),
                    (Certificate, authority),
                ] = sections.as_slice()
                && key_pair(modern_key.clone(), &PKCS_ECDSA_P256_SHA256).is_ok()
                && key_pair(legacy_key.clone(), &PKCS_RSA_SHA256).is_ok()
            {
                let [modern, legacy, authority] =
                    [modern, legacy, authority].map(|der| CertificateDer::from(der.clone()));
                let certificates = Some(Certificates { names, modern, legacy, authority });
                return Ok(Self { modern: modern_key.clone(), legacy: legacy_key.clone(), certificates });
            }
            set_aside(&path)?;
            log::warn!(
                "{} is damaged and was set aside; it is made anew, players need do nothing",
                path.display()
            );
        }
        let modern = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?.serialize_der();
        Ok(Self { modern, legacy: new_rsa_key()?, certificates: None })
    }

    fn of(leaves: &Leaves) -> Self {
        let [modern, legacy] =
            [&leaves.modern, &leaves.legacy].map(|leaf| leaf.key.secret_pkcs8_der().to_vec());
        Self { modern, legacy, certificates: None }
    }

    fn issue(
        &mut self,
        names: &Names,
        issuer: &Issuer<'static, KeyPair>,
        authority: &CertificateDer<'static>,
    ) -> Result<(), AuthorityError> {
        let modern = leaf_params(names, false)?;
        let legacy = leaf_params(names, true)?;
        let modern = modern.signed_by(&key_pair(self.modern.clone(), &PKCS_ECDSA_P256_SHA256)?, issuer)?;
        let legacy = legacy.signed_by(&key_pair(self.legacy.clone(), &PKCS_RSA_SHA256)?, issuer)?;
        self.certificates = Some(Certificates {
            names: names.clone(),
            modern: modern.der().clone(),
            legacy: legacy.der().clone(),
            authority: authority.clone(),
        });
        Ok(())
    }

    /// Saves them, or says why not. On a full card the server serves all the same: players trust the authority, and the next start can
    /// make these again.
    fn save_if_possible(&self, folder: &Path) {
        if let Err(error) = self.save(folder) {
            log::warn!(
                "{error}; the certificates of now are not saved, and are made again at the next start"
            );
        }
    }

    fn save(&self, folder: &Path) -> Result<(), AuthorityError> {
        let Some(certificates) = &self.certificates else { return Ok(()) };
        let text = [
            format!("{NAMES}{}\n", certificates.names),
            block("PRIVATE KEY", &self.modern, LineEnding::LF),
            block("CERTIFICATE", &certificates.modern, LineEnding::LF),
            block("PRIVATE KEY", &self.legacy, LineEnding::LF),
            block("CERTIFICATE", &certificates.legacy, LineEnding::LF),
            block("CERTIFICATE", &certificates.authority, LineEnding::LF),
        ];
        write(&folder.join(LEAVES), &text.concat())
    }

    fn into_leaves(self) -> Result<Leaves, AuthorityError> {
        let Some(Certificates { names, modern, legacy, authority }) = self.certificates else {
            return Err(AuthorityError::Crypto("nothing was issued".to_owned()));
        };
        let leaf =
            |certificate, key: Vec<u8>| Leaf { chain: vec![certificate, authority.clone()], key: key.into() };
        Ok(Leaves { names, modern: leaf(modern, self.modern), legacy: leaf(legacy, self.legacy) })
    }
}

fn leaf_params(names: &Names, rsa_key_exchange: bool) -> Result<CertificateParams, AuthorityError> {
    let mut params = params(names.common_name());
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if rsa_key_exchange {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    let dns = |name: &str| Ok(SanType::DnsName(name.try_into()?));
    let hosts = names.hosts().map(dns);
    let addresses = names.addresses().map(|address| Ok(SanType::IpAddress(address)));
    let spelled = names.addresses().map(|address| dns(&address.to_string()));
    params.subject_alt_names = hosts.chain(addresses).chain(spelled).collect::<Result<_, rcgen::Error>>()?;
    Ok(params)
}

fn new_rsa_key() -> Result<Vec<u8>, AuthorityError> {
    let crypto = |error: &dyn fmt::Display| AuthorityError::Crypto(error.to_string());
    let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).map_err(|error| crypto(&error))?;
    Ok(key.to_pkcs8_der().map_err(|error| crypto(&error))?.as_bytes().to_vec())
}

fn key_pair(der: Vec<u8>, kind: &'static rcgen::SignatureAlgorithm) -> Result<KeyPair, rcgen::Error> {
    KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), kind)
}

#[cfg(test)]
mod tests;
