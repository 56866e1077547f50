//! The forms that came from the pages of one session: each is done once, however often it is sent. A page that is loaded anew has a number of its
//! own, so whoever wants a thing twice loads the page and sends its form again.

use std::collections::VecDeque;

/// How many are remembered. Forms from pages as old as one that is forgotten are refused, so that nothing is ever done twice.
const MOST: usize = 16;

/// The SHA-256 of a form: of its path and of all its fields, the number of its page among them.
pub type FormDigest = [u8; 32];

/// What a form did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormDone {
    /// The page that was shown next.
    pub page: String,
    /// What was said on it.
    pub text: String,
}

/// Whether a form is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormAdmission {
    /// It has not come before: do it, and then say what it came to.
    First,
    /// It has come before, and did this; `None`: that is not over yet.
    Again(Option<FormDone>),
    /// It comes from no page of this session, or from a very old one.
    Foreign,
}

#[derive(Debug)]
struct Sent {
    page: u64,
    digest: FormDigest,
    done: Option<FormDone>,
}

/// The newest forms of a session, and the numbers of its pages.
#[derive(Debug, Default)]
pub(super) struct SentForms {
    /// The number of the newest page.
    newest: u64,
    /// Pages up to this one are too old.
    forgotten: u64,
    all: VecDeque<Sent>,
}

impl SentForms {
    /// The number of one more page.
    pub(super) fn next_page(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// Whether a form of that page has not come before. If so, it counts as one that has, from now on.
    pub(super) fn admit(&mut self, page: u64, digest: FormDigest) -> FormAdmission {
        if let Some(sent) = self.all.iter().find(|sent| sent.digest == digest) {
            return FormAdmission::Again(sent.done.clone());
        }
        if page <= self.forgotten || page > self.newest {
            return FormAdmission::Foreign;
        }
        if self.all.len() >= MOST
            && let Some(oldest) = self.all.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.page);
        }
        self.all.push_back(Sent { page, digest, done: None });
        FormAdmission::First
    }

    /// Whether this form is being done at the moment.
    pub(super) fn is_pending(&self, digest: &FormDigest) -> bool {
        self.all.iter().any(|sent| sent.digest == *digest && sent.done.is_none())
    }

    /// Keeps what a form did; `None`: it changed nothing, and may be sent again.
    pub(super) fn settle(&mut self, digest: &FormDigest, done: Option<FormDone>) {
        match done {
            Some(done) => {
                if let Some(sent) = self.all.iter_mut().find(|sent| sent.digest == *digest) {
                    sent.done = Some(done);
                }
            }
            None => self.all.retain(|sent| sent.digest != *digest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> FormDigest {
        [number; 32]
    }

    #[test]
    fn a_form_is_done_once_and_what_it_did_is_told_again() {
        let mut forms = SentForms::default();
        let page = forms.next_page();
        assert_eq!(forms.admit(page, digest(1)), FormAdmission::First);
        assert_eq!(forms.admit(page, digest(1)), FormAdmission::Again(None));
        assert!(forms.is_pending(&digest(1)) && !forms.is_pending(&digest(2)));
        let done = FormDone { page: "/x".to_owned(), text: "done".to_owned() };
        forms.settle(&digest(1), Some(done.clone()));
        assert_eq!(forms.admit(page, digest(1)), FormAdmission::Again(Some(done)));
        assert_eq!(forms.admit(page, digest(2)), FormAdmission::First, "another form of the same page");
        forms.settle(&digest(2), None);
        assert_eq!(forms.admit(page, digest(2)), FormAdmission::First, "it was refused before");
    }

    #[test]
    fn little_is_remembered_and_what_is_forgotten_is_never_done_again() {
        let mut forms = SentForms::default();
        let first = forms.next_page();
        assert_eq!(forms.admit(first, digest(0)), FormAdmission::First);
        for number in 1..=100 {
            let page = forms.next_page();
            assert_eq!(forms.admit(page, digest(number)), FormAdmission::First, "{number}");
            assert!(forms.all.len() <= MOST);
        }
        assert_eq!(forms.admit(first, digest(0)), FormAdmission::Foreign);
        assert_eq!(forms.admit(forms.newest + 1, digest(200)), FormAdmission::Foreign, "no such page");
    }
}
