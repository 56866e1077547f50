//! Forms as values: what a page asks for, drawn by one template for players and for the Server Operator. What was typed into a form
//! that was refused stands in it again on the next page.

use super::fields::Fields;
use crate::world::{FormDone, Notice, Typed};
use std::borrow::Cow;

/// A form; without inputs only a button.
#[derive(Default)]
pub(super) struct FormView {
    pub(super) heading: &'static str,
    pub(super) text: String,
    pub(super) action: &'static str,
    pub(super) button: String,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) inputs: Vec<Input>,
    /// Whether it brings a file.
    pub(super) file: bool,
}

/// A field of it: a text, one or any of several choices, or a box to tick.
#[derive(Default)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: Cow<'static, str>,
    pub(super) value: String,
    pub(super) longest: usize,
    /// The values with what people read, of which one is chosen; empty: any text.
    pub(super) choices: Vec<(String, String)>,
    /// The same of which any are chosen, with whether each is.
    pub(super) boxes: Vec<(String, String, bool)>,
    pub(super) look: Look,
    /// Whether a box is ticked.
    pub(super) ticked: bool,
    /// What people should know of it.
    pub(super) help: String,
}

/// How a field without choices looks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Look {
    #[default]
    Line,
    Lines,
    /// Nobody may read over the shoulder what is typed, and it is never shown again.
    Password,
    /// A box to tick.
    Tick,
}

/// The longest name of a driver, in characters.
const LONGEST_NAME: usize = 12;
/// What a sum of dollars has room for, in characters.
const LONGEST_SUM: usize = 14;

impl Input {
    pub(super) fn text(name: &'static str, label: impl Into<Cow<'static, str>>, longest: usize) -> Self {
        Self { name, label: label.into(), longest, ..Self::default() }
    }

    /// A text of several lines.
    pub(super) fn lines(name: &'static str, label: impl Into<Cow<'static, str>>, longest: usize) -> Self {
        Self { look: Look::Lines, ..Self::text(name, label, longest) }
    }

    /// A password.
    pub(super) fn password(name: &'static str, label: impl Into<Cow<'static, str>>, longest: usize) -> Self {
        Self { look: Look::Password, ..Self::text(name, label, longest) }
    }

    /// The name of a driver.
    pub(super) fn driver(name: &'static str) -> Self {
        Self::text(name, "Driver", LONGEST_NAME)
    }

    /// A sum of whole dollars.
    pub(super) fn dollars(name: &'static str, label: impl Into<Cow<'static, str>>) -> Self {
        Self::text(name, label, LONGEST_SUM).helped("Whole dollars.")
    }

    pub(super) fn choice(
        name: &'static str,
        label: impl Into<Cow<'static, str>>,
        choices: impl IntoIterator<Item = (impl ToString, impl ToString)>,
    ) -> Self {
        let choices = choices.into_iter().map(|(value, text)| (value.to_string(), text.to_string()));
        Self { name, label: label.into(), choices: choices.collect(), ..Self::default() }
    }

    pub(super) fn any_of(
        name: &'static str,
        label: impl Into<Cow<'static, str>>,
        boxes: impl IntoIterator<Item = (String, String, bool)>,
    ) -> Self {
        Self { name, label: label.into(), boxes: boxes.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn tick(name: &'static str, label: impl Into<Cow<'static, str>>) -> Self {
        Self { name, label: label.into(), look: Look::Tick, ..Self::default() }
    }

    #[must_use]
    pub(super) fn with(self, value: &impl ToString) -> Self {
        Self { value: value.to_string(), ..self }
    }

    #[must_use]
    pub(super) fn helped(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    pub(super) fn is_tick(&self) -> bool {
        self.look == Look::Tick
    }

    pub(super) fn has_lines(&self) -> bool {
        self.look == Look::Lines
    }

    pub(super) fn is_password(&self) -> bool {
        self.look == Look::Password
    }

    /// The width of its field on the page, in characters.
    pub(super) fn size(&self) -> usize {
        self.longest.clamp(3, 50)
    }

    /// Shows what was typed.
    fn show_again(&mut self, typed: &Typed) {
        let values: Vec<&str> = typed
            .fields
            .iter()
            .filter(|(name, _)| name == self.name)
            .map(|(_, value)| value.as_str())
            .collect();
        if self.look == Look::Password || self.name == CONFIRMATION {
            return;
        }
        let tick = self.look == Look::Tick;
        self.ticked = tick && !values.is_empty();
        for (value, _, chosen) in &mut self.boxes {
            *chosen = values.contains(&value.as_str());
        }
        if let Some(value) = values.first().filter(|_| !tick) {
            self.value = value.chars().take(self.longest.max(LONGEST_CHOICE)).collect();
        }
    }
}

/// The box that says that somebody means it. It is ticked anew each time.
const CONFIRMATION: &str = "sure";
/// The longest value of a choice, in bytes.
const LONGEST_CHOICE: usize = 40;

impl FormView {
    /// Whether this is the form that was sent: the hidden fields of several that go to one path differ.
    fn is(&self, typed: &Typed) -> bool {
        // Whom it is about may have changed, and what it is about may have a newer version.
        let tells = |name: &str| !matches!(name, "persona" | "version");
        let sent = |name: &str, value: &str| {
            typed.fields.iter().any(|(known, typed)| known == name && typed == value)
        };
        self.action == typed.action
            && self.hidden.iter().all(|(name, value)| !tells(name) || sent(name, value))
    }
}

/// The heading of a page that says that a form came again, while what it asks for was being done.
pub(super) const CAME_TWICE: &str = "The form came twice";
/// What stands below it.
pub(super) const NOT_OVER: &str = "It counts once, and that is not over yet. Load the page of the form again in a moment: it shows what came of it.";

/// What is said when a form comes again that has been done.
pub(super) fn done_already(done: &FormDone) -> String {
    format!("Already done, once: {} To do it again, use the form on this page.", done.text)
}

/// What was typed into a form that was sent to `path`, without passwords.
pub(super) fn typed(path: &str, form: &Fields) -> Typed {
    Typed { action: path.to_owned(), fields: form.without_secrets() }
}

/// Puts what was typed back into the form that was refused.
pub(super) fn show_again(forms: &mut [FormView], notice: Option<&Notice>) {
    let Some(typed) = notice.and_then(|notice| notice.typed.as_ref()) else { return };
    // Of several forms for one address the one that says most of itself: what one button says another form may ask for.
    let alike = forms.iter_mut().filter(|form| form.is(typed));
    let sent = alike.reduce(|best, form| if form.hidden.len() > best.hidden.len() { form } else { best });
    for input in sent.into_iter().flat_map(|form| &mut form.inputs) {
        input.show_again(typed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(what: &str) -> FormView {
        let inputs = vec![
            Input::text("name", "Name", 5),
            Input::password("password", "Password", 9),
            Input::choice("days", "Days", [1, 2].map(|days| (days, days))),
            Input::any_of(
                "goods",
                "Goods",
                ["a", "b"].map(|one| (one.to_owned(), one.to_owned(), one == "a")),
            ),
            Input::tick("weekly", "Weekly"),
            Input::tick("sure", "Yes"),
        ];
        let hidden = vec![("do", what.to_owned()), ("version", "2".to_owned())];
        FormView { action: "/x", hidden, inputs, ..FormView::default() }
    }

    #[test]
    fn what_was_typed_stands_in_the_form_that_was_refused_but_no_password_and_no_confirmation() {
        let sent = b"do=b&version=1&name=too+long+a+name&password=s3cret&days=2&goods=b&weekly=yes&sure=yes";
        let mut forms = [form("a"), form("b")];
        let refused = Notice {
            typed: Some(typed("/x", &Fields::urlencoded(sent))),
            ..Notice::of(Err("no".to_owned()))
        };
        show_again(&mut forms, Some(&refused));
        let shown = |form: &FormView| {
            let values: Vec<String> = form.inputs.iter().map(|input| input.value.clone()).collect();
            let marks: Vec<bool> = form.inputs.iter().map(|input| input.ticked).collect();
            (values, marks, form.inputs[3].boxes.iter().map(|(.., chosen)| *chosen).collect::<Vec<_>>())
        };
        let untouched = shown(&form("a"));
        assert_eq!(shown(&forms[0]), untouched, "another form of the page");
        let (values, marks, chosen) = shown(&forms[1]);
        assert_eq!(values[..3], ["too long a name", "", "2"]);
        assert_eq!((&marks[4..], chosen), (&[true, false][..], vec![false, true]));
        // A button that says more of itself than a form for the same path: what it says is not typed.
        let button = FormView {
            hidden: vec![("do", "b".to_owned()), ("name", "too long a name".to_owned())],
            inputs: Vec::new(),
            ..form("b")
        };
        let asks = || FormView { hidden: vec![("do", "b".to_owned())], ..form("b") };
        let mut beside = [asks(), button];
        show_again(&mut beside, Some(&refused));
        assert_eq!(shown(&beside[0]), shown(&asks()));
        let mut elsewhere = [FormView { action: "/y", ..form("b") }];
        show_again(&mut elsewhere, Some(&refused));
        assert_eq!(shown(&elsewhere[0]), untouched);
    }
}
