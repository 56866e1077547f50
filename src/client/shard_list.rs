//! The shard list as the Client reads it.

use super::error::ShardListError;
use super::peer::Endpoint;
use mco_proto::ids::ShardId;

/// One shard of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardEntry {
    /// The name that the Client shows.
    pub name: String,
    /// Its number, which comes back in persona requests.
    pub id: ShardId,
    /// Where to log in.
    pub login: Endpoint,
    /// The first lobby connection.
    pub lobby: Endpoint,
    /// Host of the transaction server; its port is fixed in the Client.
    pub mcots_host: String,
    /// `StatusId`; 0 means open.
    pub status: u32,
    /// How many players are in the game.
    pub population: u32,
    /// Persona slots of an account.
    pub max_personas: u32,
}

/// Reads a list of at least one shard: `[name]` lines, below each its `key=value` lines, indented or not.
pub(super) fn parse(text: &str) -> Result<Vec<ShardEntry>, ShardListError> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push(Section { name, pairs: Vec::new() });
        } else if let (Some(section), Some(pair)) = (sections.last_mut(), line.split_once('=')) {
            section.pairs.push(pair);
        }
    }
    if sections.is_empty() {
        return Err(ShardListError::Empty);
    }
    sections.iter().map(Section::entry).collect()
}

struct Section<'a> {
    name: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl Section<'_> {
    fn text(&self, key: &'static str) -> Result<&str, ShardListError> {
        let value = self.pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        value.ok_or_else(|| ShardListError::Missing { shard: self.name.to_owned(), key })
    }

    fn number<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, ShardListError> {
        let value = self.text(key)?;
        let shard = self.name.to_owned();
        value.parse().map_err(|_| ShardListError::NoNumber { shard, key, value: value.to_owned() })
    }

    fn host(&self, key: &'static str) -> Result<&str, ShardListError> {
        let host = self.text(key)?;
        // The Client knows no brackets; a server that writes them means an IPv6 address.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(ShardListError::Missing { shard: self.name.to_owned(), key });
        }
        Ok(host)
    }

    fn entry(&self) -> Result<ShardEntry, ShardListError> {
        self.text("Status_Reason")?;
        Ok(ShardEntry {
            name: self.name.to_owned(),
            id: ShardId(self.number("ShardId")?),
            login: Endpoint::new(self.host("LoginServerIP")?, self.number("LoginServerPort")?),
            lobby: Endpoint::new(self.host("LobbyServerIP")?, self.number("LobbyServerPort")?),
            mcots_host: self.host("MCOTSServerIP")?.to_owned(),
            status: self.number("StatusId")?,
            population: self.number("Population")?,
            max_personas: self.number("MaxPersonasPerUser")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "[Hill Valley]\n      Description=Town\n      ShardId=44\n      LoginServerIP=mcos.local\n      \
        LoginServerPort=8226\n      LobbyServerIP=mcos.local\n      LobbyServerPort=7003\n      MCOTSServerIP=mcos.local\n      \
        StatusId=0\n      Status_Reason=\n      ServerGroup_Name=Group-1\n      Population=88\n      MaxPersonasPerUser=2\n      \
        DiagnosticServerHost=mcos.local\n      DiagnosticServerPort=80";

    #[test]
    fn a_shard_list_gives_addresses_and_numbers() {
        let list = parse(LIST).unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].name.as_str(), list[0].id), ("Hill Valley", ShardId(44)));
        assert_eq!(list[0].login, Endpoint::new("mcos.local", 8226));
        assert_eq!(parse(&LIST.replace('\n', "\r\n")).unwrap(), list);
    }

    #[test]
    fn a_shard_list_that_lacks_something_names_the_key() {
        assert_eq!(parse("<html>hello</html>"), Err(ShardListError::Empty));
        let error = parse(&LIST.replace("LobbyServerPort=7003", "")).unwrap_err().to_string();
        assert_eq!(error, "the shard list has no LobbyServerPort for \"Hill Valley\"");
        let error = parse(&LIST.replace("=8226", "=many")).unwrap_err().to_string();
        assert!(error.contains("LoginServerPort=many"), "{error}");
    }
}
