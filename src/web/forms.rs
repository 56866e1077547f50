//! Forms as values: what a page asks for, drawn by one template for players and for the Server Operator.

/// A form.
#[derive(Default)]
pub(super) struct FormView {
    pub(super) heading: &'static str,
    pub(super) text: String,
    pub(super) action: &'static str,
    pub(super) button: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) inputs: Vec<Input>,
}

/// A field of it: a text, one of several choices, or a box to tick.
#[derive(Default)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) longest: usize,
    /// The values with what people read; empty: any text.
    pub(super) choices: Vec<(String, String)>,
    pub(super) tick: bool,
}

impl Input {
    pub(super) fn text(name: &'static str, label: &'static str, longest: usize) -> Self {
        Self { name, label, longest, ..Self::default() }
    }

    pub(super) fn choice(
        name: &'static str,
        label: &'static str,
        choices: impl IntoIterator<Item = (impl ToString, impl ToString)>,
    ) -> Self {
        let choices = choices.into_iter().map(|(value, text)| (value.to_string(), text.to_string()));
        Self { name, label, choices: choices.collect(), ..Self::default() }
    }

    pub(super) fn tick(name: &'static str, label: &'static str) -> Self {
        Self { name, label, tick: true, ..Self::default() }
    }

    #[must_use]
    pub(super) fn with(self, value: &impl ToString) -> Self {
        Self { value: value.to_string(), ..self }
    }

    /// The width of its field on the page, in characters.
    pub(super) fn size(&self) -> usize {
        self.longest.clamp(3, 50)
    }
}
