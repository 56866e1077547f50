//! What this machine is called in its network: its host name, or another one if somebody else there has that already.

use std::sync::{Mutex, PoisonError};

/// The name of this machine, up to the first dot. May be asked at any time, as it can change at any.
#[derive(Debug)]
pub struct OwnName(Mutex<String>);

impl Default for OwnName {
    /// The host name, until something else is known.
    fn default() -> Self {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Self(Mutex::new(host.split('.').next().unwrap_or_default().to_owned()))
    }
}

impl OwnName {
    /// The name.
    pub fn read(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The network knows this machine by `name` now. Whether that is another name than before.
    pub fn set(&self, name: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = *known != name;
        name.clone_into(&mut known);
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_is_told_once() {
        let name = OwnName::default();
        let other = format!("{}2", name.read());
        assert!(!name.set(&name.read()));
        assert!(name.set(&other) && !name.set(&other));
        assert_eq!(name.read(), other);
    }
}
