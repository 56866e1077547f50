//! Forms as values: what a page asks for, drawn by one template for players and for the Server Operator.

/// A form; without inputs only a button.
#[derive(Default)]
pub(super) struct FormView {
    pub(super) heading: &'static str,
    pub(super) text: String,
    pub(super) action: &'static str,
    pub(super) button: String,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) inputs: Vec<Input>,
}

/// A field of it: a text, one or any of several choices, or a box to tick.
#[derive(Default)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) longest: usize,
    /// The values with what people read, of which one is chosen; empty: any text.
    pub(super) choices: Vec<(String, String)>,
    /// The same of which any are chosen, with whether each is.
    pub(super) boxes: Vec<(String, String, bool)>,
    pub(super) tick: bool,
    /// What people should know of it.
    pub(super) help: String,
}

/// The longest name of a driver, in characters.
const LONGEST_NAME: usize = 12;
/// What a sum of dollars has room for, in characters.
const LONGEST_SUM: usize = 14;

impl Input {
    pub(super) fn text(name: &'static str, label: &'static str, longest: usize) -> Self {
        Self { name, label, longest, ..Self::default() }
    }

    /// The name of a driver.
    pub(super) fn driver(name: &'static str) -> Self {
        Self::text(name, "Driver", LONGEST_NAME)
    }

    /// A sum of whole dollars.
    pub(super) fn dollars(name: &'static str, label: &'static str) -> Self {
        Self::text(name, label, LONGEST_SUM).helped("Whole dollars.")
    }

    pub(super) fn choice(
        name: &'static str,
        label: &'static str,
        choices: impl IntoIterator<Item = (impl ToString, impl ToString)>,
    ) -> Self {
        let choices = choices.into_iter().map(|(value, text)| (value.to_string(), text.to_string()));
        Self { name, label, choices: choices.collect(), ..Self::default() }
    }

    pub(super) fn any_of(
        name: &'static str,
        label: &'static str,
        boxes: impl IntoIterator<Item = (String, String, bool)>,
    ) -> Self {
        Self { name, label, boxes: boxes.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn tick(name: &'static str, label: &'static str) -> Self {
        Self { name, label, tick: true, ..Self::default() }
    }

    #[must_use]
    pub(super) fn with(self, value: &impl ToString) -> Self {
        Self { value: value.to_string(), ..self }
    }

    #[must_use]
    pub(super) fn helped(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The width of its field on the page, in characters.
    pub(super) fn size(&self) -> usize {
        self.longest.clamp(3, 50)
    }
}
