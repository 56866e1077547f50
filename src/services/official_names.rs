//! Names under which only the server speaks: nobody makes a persona over the wire that could be taken for one of them.

use crate::catalog::Catalog;
use crate::look_alike::letters;

/// Who people think speaks for the server, besides its own personas.
const OFFICES: [&str; 13] = [
    "admin",
    "administrato",
    "game master",
    "mco",
    "mcos",
    "moderator",
    "motor city",
    "operator",
    "server",
    "staff",
    "support",
    "sysop",
    "system",
];

/// Whether a name reads like one of the server's own, whatever its case, spaces, signs, digits and marks are, and with a number
/// behind it, too.
pub fn is_official(catalog: &Catalog, name: &str) -> bool {
    let without_number = name.trim_end_matches(|sign: char| !sign.is_alphabetic());
    let own = || catalog.system_personas().iter().map(|persona| persona.name);
    [name, without_number].map(letters).iter().any(|asked| {
        let asked = asked.strip_prefix("the").unwrap_or(asked);
        own().chain(OFFICES).any(|official| letters(official) == asked)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_taken_for_the_server() {
        let catalog = Catalog::builtin();
        for name in [
            "Race Control",
            "race control",
            "RaceControl",
            "Race  C0ntrol",
            "R4ce-Contro1",
            "R\u{e4}ce Control",
            "City News",
            "C!ty News 2",
            "The Operator",
            "0perator",
            "Admin",
            "ADM1N",
            "*mcos*",
            "Server 1",
            "Junkyard",
            "GM Lot",
        ] {
            assert!(is_official(&catalog, name), "{name}");
        }
        for name in
            ["Dr Brown", "Marty", "Racer", "Control", "Newton", "Theo", "Adam", "Observer", "007", "...", "1"]
        {
            assert!(!is_official(&catalog, name), "{name}");
        }
    }
}
