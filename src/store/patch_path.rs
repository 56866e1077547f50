//! Where a file of the patch set belongs in the game's folder.

use std::fmt;

/// The most folders and names in a path.
const MOST_PARTS: usize = 8;
/// The longest path in bytes: with the game's folder in front it stays below the 260 of Windows.
const LONGEST: usize = 120;
/// What Windows takes for a device, whatever stands behind a dot.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];
/// Signs that may stand in a name beside letters and digits. Not `~`: `DATABA~1` is another name of some other folder.
const SIGNS: &str = " !#$%&'()+,-.;=@[]^_`{}";
/// What the kit puts behind the name of the player's own file.
pub const BEFORE: &str = ".before-mcos";
/// What it puts behind the name of a file that is arriving.
const NEW: &str = ".mcos-new";

/// A path below the game's folder, with `/` between its parts: ASCII, legal on Windows, and never outside of that folder.
/// Letter case is kept, but does not tell two paths apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchPath(String);

impl PatchPath {
    /// Reads a path with `/` or `\` between its parts.
    ///
    /// # Errors
    /// What is wrong with it, in words that end a sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = text.replace('\\', "/");
        if path.len() > LONGEST {
            return Err("it is longer than 120 letters");
        }
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() > MOST_PARTS {
            return Err("it has more than 8 parts");
        }
        for part in &parts {
            if part.is_empty() {
                return Err(
                    "write it from the game's folder on, such as Data/DB/Online.mdb, without a drive",
                );
            }
            if !part.chars().all(|letter| letter.is_ascii_alphanumeric() || SIGNS.contains(letter)) {
                return Err("a name may have English letters, digits and common signs only, and no : or ~");
            }
            if part.starts_with(' ') || part.ends_with([' ', '.']) {
                return Err("no name may begin with a space, or end with a space or a dot");
            }
            if is_device(part) {
                return Err("Windows keeps one of its names for a device");
            }
        }
        let lower = path.to_ascii_lowercase();
        if [BEFORE, NEW].iter().any(|end| lower.ends_with(end)) {
            return Err("the kit uses that end for its own files");
        }
        match lower.as_str() {
            "manifest.txt" => Err("the list of the patch set has that name"),
            "pub.key" => Err("each kit brings its own pub.key"),
            _ => Ok(Self(path)),
        }
    }

    /// As it was written, with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether Windows runs this file as a program or as a part of one.
    pub fn is_program(&self) -> bool {
        let end = self.0.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        matches!(
            end.as_str(),
            "exe"
                | "dll"
                | "com"
                | "bat"
                | "cmd"
                | "scr"
                | "ocx"
                | "js"
                | "vbs"
                | "sys"
                | "pif"
                | "msi"
                | "reg"
        )
    }

    /// Whether Windows takes both for the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// Whether both cannot be there at once, because one is a folder of the other.
    pub(super) fn is_in_the_way_of(&self, other: &Self) -> bool {
        let (one, two) = (self.0.to_ascii_lowercase(), other.0.to_ascii_lowercase());
        one.starts_with(&format!("{two}/")) || two.starts_with(&format!("{one}/"))
    }
}

fn is_device(part: &str) -> bool {
    let name = part.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"]
        .iter()
        .any(|port| name.strip_prefix(port).is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9'])));
    numbered || DEVICES.contains(&name.as_str())
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_file_below_the_games_folder_has_a_path() {
        for good in [
            "MCity.exe",
            "Data/DB/Online.mdb",
            "Data\\DB\\a b (1) & 100%!.txt",
            "con_1.txt",
            "a/b/c/d/e/f/g/h",
        ] {
            assert_eq!(PatchPath::parse(good).unwrap().as_str(), good.replace('\\', "/"));
        }
        for bad in [
            "",
            "/",
            "/a",
            "\\a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            ".",
            "C:/a",
            "C:a",
            "a:b",
            "\\\\pc\\a",
            "a.",
            "a ",
            " a",
            "a/b./c",
            "NUL",
            "nul.txt",
            "Data/COM1.mdb",
            "lpt9 .x",
            "CONOUT$",
            "a~1/b",
            "a*b",
            "a?b",
            "a\"b",
            "a<b",
            "a|b",
            "a\tb",
            "a\nb",
            "\u{e4}",
            "a\0",
            "pub.key",
            "PUB.KEY",
            "Manifest.txt",
            "a.before-mcos",
            "a.MCOS-new",
            "a/b/c/d/e/f/g/h/i",
        ] {
            assert!(PatchPath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PatchPath::parse(&"x".repeat(LONGEST)).is_ok());
        assert!(PatchPath::parse(&"x".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn letter_case_tells_no_two_files_apart_and_a_file_is_no_folder() {
        let path = |text| PatchPath::parse(text).unwrap();
        assert!(path("Data/A.mdb").is_same(&path("data\\a.MDB")));
        assert!(
            path("Data").is_in_the_way_of(&path("DATA/a")) && path("DATA/a").is_in_the_way_of(&path("Data"))
        );
        assert!(!path("Data").is_in_the_way_of(&path("Data2/a")));
        assert!(
            path("MCity.EXE").is_program() && path("d3d8.dll").is_program() && !path("a.mdb").is_program()
        );
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_in_the_folder(text in "[a-zA-Z./\\\\: ~]{0,20}") {
            if let Ok(path) = PatchPath::parse(&text) {
                prop_assert!(path.as_str().split('/').all(|part| !part.is_empty() && part != ".." && part != "."));
                prop_assert!(!path.as_str().contains([':', '\\', '~']));
            }
        }
    }
}
