//! Sessions, login and dispatch of the Operator's pages.

use super::actions::{self, Effect};
use super::backups;
use super::deals;
use super::export;
use super::game_pages;
use super::history;
use super::login::{self, TOKEN_COOKIE, is_near, redirect_to_login};
use super::nights;
use super::page_forms;
use super::pages;
use super::people;
use super::plots;
use super::request::{Form, FormStorage, OperatorRequest, OperatorResponse, ServerFigures};
use super::settings;
use super::welcome;
use super::wifi;
use super::wire;
use crate::admin::history::History;
use crate::admin::perform;
use crate::admin::recordings::RecordingSwitch;
use crate::appliance::{Appliance, Manifest};
use crate::clock::Now;
use crate::services::Game;
use crate::store::{MAX_PATCH_FILE, OperatorError, OperatorPassword};
use crate::web::cookies::cookie;
use crate::web::forms;
use crate::world::{FailureLimit, FormAdmission, FormDone, Notice, PageSessions, PageTerms, Token};
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The sessions of the Operator.
const SESSIONS: PageTerms =
    PageTerms { idle: Duration::from_mins(30), life: Duration::from_hours(12), most_each: 8, most: 8 };
/// Wrong passwords of one address within a minute. People mistype; programs that guess get nowhere.
pub(super) const FAILURES_PER_MINUTE: u32 = 5;
/// The longest form without a file, in bytes.
pub(super) const MAX_FORM: usize = 8 * 1024;
/// The longest form with a backup, in bytes. Larger ones are for `mcos restore`.
pub(super) const MAX_BACKUP: u64 = 16 * 1024 * 1024;
/// The largest game's database that can be sent by a form, in bytes. Larger ones are for `mcos catalog import`.
pub(super) const MAX_DATABASE: u64 = 64 * 1024 * 1024;
/// Where an update bundle is sent to.
pub const BUNDLE: &str = "/operator/update/send";
/// The cookie with the secret of a session. Browsers take one of this kind of name only by HTTPS, for this host and every path.
pub(super) const SESSION_COOKIE: &str = "__Host-mcos-operator";

const TOO_MANY_WRONG: &str = "Too many wrong passwords from your address. Wait one minute, then try again.";
const NOT_THE_SAME: &str = "The two passwords are not the same. Type both again.";

const EXPIRED: &str = "Nothing was changed. Go back, load the page again, and send the form once more.";

/// Sessions and login limits of the operator pages.
pub struct OperatorSite {
    sessions: PageSessions<()>,
    failures: FailureLimit,
    /// The box it runs on, if it is one.
    appliance: Option<Appliance>,
    /// Records what passes.
    recordings: Arc<dyn RecordingSwitch>,
    /// What the plots of *Health* show.
    history: Arc<History>,
}

impl OperatorSite {
    /// The pages of a server, which runs on a box if `appliance` is one.
    pub fn new(
        appliance: Option<Appliance>,
        recordings: Arc<dyn RecordingSwitch>,
        history: Arc<History>,
    ) -> Self {
        let failures = FailureLimit::for_everybody(FAILURES_PER_MINUTE);
        Self { sessions: PageSessions::new(SESSIONS), failures, appliance, recordings, history }
    }

    /// The box it runs on, if it is one.
    pub const fn appliance(&self) -> Option<&Appliance> {
        self.appliance.as_ref()
    }

    /// Whether the cookies belong to a session.
    pub fn is_logged_in(&self, cookies: &str, now: Now) -> bool {
        self.form_token(cookies, now).is_some()
    }

    /// Whether a form comes from a page of the session that the cookies belong to.
    pub fn is_form_token(&self, cookies: &str, token: &str, now: Now) -> bool {
        self.sessions.is_ours(cookie(cookies, SESSION_COOKIE), token, now)
    }

    fn form_token(&self, cookies: &str, now: Now) -> Option<Token> {
        self.sessions.enter(cookie(cookies, SESSION_COOKIE), now).map(|((), token)| token)
    }

    /// Where a form to this path is to be kept. Only who is signed in may send much.
    pub fn form_storage(&self, path: &str, cookies: &str, now: Now) -> FormStorage {
        match path {
            backups::RESTORE if self.is_logged_in(cookies, now) => FormStorage::File(MAX_BACKUP),
            actions::CATALOG if self.is_logged_in(cookies, now) => {
                FormStorage::File(MAX_DATABASE + MAX_FORM as u64)
            }
            page_forms::PATCH if self.is_logged_in(cookies, now) => {
                FormStorage::File(MAX_PATCH_FILE + MAX_FORM as u64)
            }
            _ => FormStorage::Memory(MAX_FORM),
        }
    }

    /// The answer to a form without a session.
    pub fn redirect_to_login() -> OperatorResponse {
        redirect_to_login()
    }

    /// The answer to a form that does not come from a page of the session.
    pub fn expired_form(&self, game: &Game, cookies: &str, peer: IpAddr, now: Now) -> OperatorResponse {
        log::info!("operator: {peer} sent a form without the page's token");
        match self.form_token(cookies, now) {
            Some(token) => pages::not_done(game, token.as_str(), 403, "This form has expired", EXPIRED),
            None => redirect_to_login(),
        }
    }

    /// The answer to a file that is too large for this path.
    pub fn file_too_large(path: &str) -> OperatorResponse {
        let text = if path == backups::RESTORE {
            format!("This file is larger than {} MiB. Nothing was changed.", MAX_BACKUP >> 20)
        } else if path == page_forms::PATCH {
            format!("This file is larger than {} MiB. Nothing was changed.", MAX_PATCH_FILE >> 20)
        } else {
            format!(
                "This file is larger than {} MiB. Nothing was changed. The game's own database is much smaller: choose \
                 that file.",
                MAX_DATABASE >> 20
            )
        };
        OperatorResponse::plain(413, &text)
    }

    /// The answer to an update bundle: it is kept to be installed, or why not, in words for the Operator.
    pub fn after_bundle(
        &self,
        game: &Game,
        cookies: &str,
        outcome: Result<Manifest, impl Display>,
        now: Now,
    ) -> OperatorResponse {
        let outcome = match outcome {
            Ok(Manifest { version, .. }) => {
                log::warn!("operator: an update to {version} is checked, and waits to be installed");
                perform::note(&game.store, &format!("update file of mcos {version}"), now);
                let text = format!(
                    "The file with mcos {version} has arrived and is complete. The box installs it and then restarts."
                );
                Ok(text)
            }
            Err(why) => Err(pages::nothing_changed(&why.to_string())),
        };
        let notice = Notice::of(outcome);
        self.sessions.leave_notice(cookie(cookies, SESSION_COOKIE), notice, now);
        OperatorResponse::go_to("/operator/update")
    }

    /// Answers a request. May check a password and waits for the card, so it belongs on a worker thread.
    pub fn respond(
        &self,
        game: &Game,
        figures: &ServerFigures,
        request: &OperatorRequest<'_>,
    ) -> OperatorResponse {
        let secret = request.cookie(SESSION_COOKIE);
        match (self.sessions.enter(secret, request.now), request.form) {
            (None, None) => self.login_page(game, request, None),
            (None, Some(form)) => self.unauthenticated_form(game, request, form),
            (Some(((), token)), None) => {
                // A file or a picture shows no notice: that is for the next page.
                if request.path == export::PATH {
                    return export::file(game, request);
                }
                if let Some(picture) = history::picture(&self.history, game.zone(), request.path) {
                    return picture;
                }
                let notice = self.sessions.take_notice(secret, request.now);
                if request.path == wire::PAGE {
                    let frame = pages::frame(game, token.as_str(), notice);
                    return wire::page(game, &*self.recordings, frame);
                }
                if request.path == backups::PAGE {
                    return backups::page(game, pages::frame(game, token.as_str(), notice));
                }
                if request.path == nights::PAGE {
                    return nights::page(game, request, pages::frame(game, token.as_str(), notice));
                }
                if request.path == deals::PAGE {
                    return deals::page(game, pages::frame(game, token.as_str(), notice));
                }
                if request.path == plots::PAGE {
                    return history::page(
                        &self.history,
                        game.zone(),
                        pages::frame(game, token.as_str(), notice),
                    );
                }
                if request.path == game_pages::PAGE {
                    return game_pages::page(game, pages::frame(game, token.as_str(), notice));
                }
                if request.path == settings::PAGE {
                    return settings::page(game, request, pages::frame(game, token.as_str(), notice));
                }
                if request.path == wifi::PAGE {
                    return wifi::page(game, pages::frame(game, token.as_str(), notice));
                }
                if request.path == settings::FIRST_STEPS {
                    return welcome::page(game, pages::frame(game, token.as_str(), notice));
                }
                if people::is_here(request.path) {
                    return people::page(game, request, pages::frame(game, token.as_str(), notice));
                }
                pages::read(game, (figures, &self.history), self.appliance(), request, &token, notice)
            }
            (Some(_), Some(form)) => self.act_once(game, request, secret, form),
        }
    }

    fn login_page(
        &self,
        game: &Game,
        request: &OperatorRequest<'_>,
        problem: Option<&str>,
    ) -> OperatorResponse {
        login::login_page(game, request, self.appliance.is_some(), problem)
    }

    fn unauthenticated_form(
        &self,
        game: &Game,
        request: &OperatorRequest<'_>,
        form: &Form,
    ) -> OperatorResponse {
        if !login::is_from_login_page(request, form.fields.text("form")) {
            log::info!("operator: {} sent a form without the page's token", request.peer);
            let problem = "This form has expired, or your browser does not accept cookies. Please try again.";
            return self.login_page(game, request, Some(problem)).with_status(403);
        }
        match request.path {
            "/operator/login" => self.log_in(game, request, form),
            "/operator/first" => self.set_first_password(game, request, form),
            _ => self.login_page(game, request, Some("Please sign in first.")).with_status(403),
        }
    }

    fn log_in(&self, game: &Game, request: &OperatorRequest<'_>, form: &Form) -> OperatorResponse {
        if !self.failures.admit(request.peer, "", request.now) {
            log::info!("operator: refused {}: too many wrong passwords within a minute", request.peer);
            return self.login_page(game, request, Some(TOO_MANY_WRONG)).with_status(429);
        }
        match game.store.operator().check_password(form.fields.text("password")) {
            Ok(true) => {
                self.failures.forgive(request.peer, "");
                game.world.password_history.note(request.peer, true, request.now);
                log::info!("operator: signed in from {}", request.peer);
                self.begin_session(request.now)
            }
            Ok(false) => {
                game.world.password_history.note(request.peer, false, request.now);
                log::info!("operator: refused {}: wrong password", request.peer);
                self.login_page(game, request, Some("The password is wrong.")).with_status(403)
            }
            Err(error) => {
                self.failures.forgive(request.peer, "");
                log::error!("operator: cannot check the password: {error}");
                self.login_page(game, request, Some(&pages::sentence(&error))).with_status(500)
            }
        }
    }

    fn set_first_password(
        &self,
        game: &Game,
        request: &OperatorRequest<'_>,
        form: &Form,
    ) -> OperatorResponse {
        if !is_near(game, request.peer) {
            log::info!("operator: refused {}: the first password is set from the home network", request.peer);
            return self.login_page(game, request, None).with_status(403);
        }
        let password = form.fields.text("password");
        if password != form.fields.text("again") {
            return self.login_page(game, request, Some(NOT_THE_SAME)).with_status(403);
        }
        let set = OperatorPassword::new(password)
            .and_then(|password| game.store.operator().set_first_password(&password))
            .and_then(|changed| changed.ticket.wait().map_err(OperatorError::from));
        let problem = match set {
            Ok(()) => {
                log::warn!("operator: {} has set the operator's password", request.peer);
                perform::note(&game.store, "first password of the operator", request.now);
                return OperatorResponse {
                    location: Some(settings::FIRST_STEPS.to_owned()),
                    ..self.begin_session(request.now)
                };
            }
            Err(OperatorError::AlreadySet) => "The password is already set. Sign in with it.".to_owned(),
            Err(error) => pages::sentence(&error),
        };
        self.login_page(game, request, Some(&problem)).with_status(403)
    }

    fn begin_session(&self, now: Now) -> OperatorResponse {
        let secret = self.sessions.begin((), now);
        OperatorResponse::go_to("/operator")
            .with_cookie(SESSION_COOKIE, secret.as_str())
            .with_cookie(TOKEN_COOKIE, "")
    }

    /// Does what a form of the session asks for, once however often it is sent. A form with a file is done each time: the same file again changes
    /// nothing.
    fn act_once(
        &self,
        game: &Game,
        request: &OperatorRequest<'_>,
        secret: &str,
        form: &Form,
    ) -> OperatorResponse {
        let (token, now) = (form.fields.text("form"), request.now);
        let expired = || self.expired_form(game, request.cookies, request.peer, now);
        if form.file.is_some() {
            let ours = self.sessions.is_ours(secret, token, now);
            return if ours { self.act(game, request, secret, form).0 } else { expired() };
        }
        let digest = form.fields.digest(request.path);
        match self.sessions.admit(secret, token, digest, now) {
            FormAdmission::First => {}
            FormAdmission::Foreign => return expired(),
            FormAdmission::Again(None) => {
                return pages::not_done(game, token, 409, forms::CAME_TWICE, forms::NOT_OVER);
            }
            FormAdmission::Again(Some(done)) => {
                self.sessions.leave_notice(secret, Notice::of(Ok(forms::done_already(&done))), now);
                return OperatorResponse::go_to(done.page);
            }
        }
        let (answer, done) = self.act(game, request, secret, form);
        self.sessions.settle(secret, &digest, done, now);
        answer
    }

    /// The answer to a form of the session, and what was changed if something was.
    fn act(
        &self,
        game: &Game,
        request: &OperatorRequest<'_>,
        secret: &str,
        form: &Form,
    ) -> (OperatorResponse, Option<FormDone>) {
        if request.path == "/operator/logout" {
            self.sessions.end(secret, request.now);
            log::info!("operator: logged out");
            return (redirect_to_login().with_cookie(SESSION_COOKIE, ""), None);
        }
        let guesses = request.path == "/operator/password";
        if guesses && !self.failures.admit(request.peer, "", request.now) {
            let notice = Notice::of(Err(TOO_MANY_WRONG.to_owned()));
            self.sessions.leave_notice(secret, notice, request.now);
            return (OperatorResponse::go_to("/operator/health"), None);
        }
        let Effect { outcome, page, pushes, restart, file, ends_sessions, noted } =
            wire::act(game, &*self.recordings, request, form)
                .or_else(|| people::act(game, request, form))
                .or_else(|| backups::act(game, request, form))
                .or_else(|| nights::act(game, request, form))
                .or_else(|| deals::act(game, request, form))
                .or_else(|| game_pages::act(game, request, form))
                .or_else(|| settings::act(game, request, form))
                .or_else(|| wifi::act(game, request, form))
                .unwrap_or_else(|| actions::act(game, request, form));
        if let Some(what) = noted.filter(|_| outcome.is_ok()) {
            perform::note(&game.store, &what, request.now);
        }
        if let Some((name, body)) = file {
            return (OperatorResponse::file(name, body), None);
        }
        let done = outcome.as_ref().ok().map(|text| FormDone { page: page.clone(), text: text.clone() });
        let notice = Notice::of(outcome);
        if ends_sessions && notice.good {
            self.failures.forgive(request.peer, "");
            self.sessions.end_of(());
            return (
                OperatorResponse { pushes, ..redirect_to_login().with_cookie(SESSION_COOKIE, "") },
                None,
            );
        }
        if restart {
            return (OperatorResponse { pushes, restart, ..pages::restarting(game) }, None);
        }
        self.sessions.leave_notice(secret, notice, request.now);
        self.sessions.keep_typed(secret, forms::typed(request.path, &form.fields), request.now);
        (OperatorResponse { pushes, ..OperatorResponse::go_to(page) }, done)
    }
}
