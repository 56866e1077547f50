//! How a command reaches the store: through the running server, or by itself when none runs.

use super::{CliError, Setting, output};
use crate::admin::perform::{self, Server, perform as perform_on};
use crate::admin::requests::{Request, Response};
use crate::clock::Now;
use crate::server::control::{self, AskError};
use crate::store::{OpenError, Store};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take between taking the store and opening its control socket (or the other way round
/// when it ends), before the command gives up.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Whoever has the store.
pub(super) enum Reached {
    /// The running server, and its answer.
    Server(Response),
    /// We have it, because no server runs.
    Store(Store),
}

/// Has the request performed by whoever has the store. A refusal is an error.
pub(super) fn perform(setting: &Setting, request: Request) -> Result<Response, CliError> {
    match reach(setting, &request)? {
        Reached::Server(response) => Ok(response),
        Reached::Store(store) => {
            let server = Server::Stopped { store: &store, config: &setting.config, data: &setting.data };
            perform_on(server, request, Now::read())
                .map(|performed| performed.response)
                .map_err(CliError::failed)
        }
    }
}

/// Has the running server perform the request, or opens the store to do it here. A refusal is an error.
pub(super) fn reach(setting: &Setting, request: &Request) -> Result<Reached, CliError> {
    let start = Instant::now();
    loop {
        match control::ask(&setting.data, request) {
            Ok(response) => return unless_refused(response).map(Reached::Server),
            Err(AskError::NobodyThere) => {}
            Err(e) => return Err(CliError::failed(e)),
        }
        if !begins(request) {
            need_data(setting)?;
        } else if !Store::is_in(&setting.data) {
            // What is refused leaves no new data folder behind.
            perform::check(request).map_err(CliError::failed)?;
        }
        match Store::open(&setting.data) {
            Ok(store) => return Ok(Reached::Store(store)),
            Err(OpenError::InUse { .. }) if start.elapsed() < STORE_TIMEOUT => {
                sleep(Duration::from_millis(50));
            }
            Err(OpenError::InUse { .. }) => {
                let data = setting.data.display();
                return Err(CliError::Failed(format!(
                    "the data folder {data} is in use by another mcos that does not answer; \
                     wait until it has ended or started, or stop it, and try again"
                )));
            }
            Err(e) => return Err(CliError::failed(e)),
        }
    }
}

/// Notes in the audit log what was done here without a request, unless nothing is stored yet. What is done stays done if that fails.
pub(super) fn note(setting: &Setting, what: String) -> Result<(), CliError> {
    if !Store::is_in(&setting.data) {
        return Ok(());
    }
    perform(setting, Request::Note { what }).map(drop).or_else(unnoted)
}

/// The same where the store is not to be opened: only a running server notes it.
pub(super) fn note_by_server(setting: &Setting, what: String) -> Result<(), CliError> {
    match control::ask(&setting.data, &Request::Note { what }) {
        Ok(response) => unless_refused(response).map(drop).or_else(unnoted),
        Err(AskError::NobodyThere) => Ok(()),
        Err(why) => unnoted(CliError::failed(why)),
    }
}

fn unnoted((CliError::Failed(why) | CliError::Usage(why)): CliError) -> Result<(), CliError> {
    output::line(&format!("note: this is done, but the audit log does not say so: {why}"))
}

/// Whether a request makes sense where nothing is stored yet. All others would only make an empty database, most likely in a
/// folder whose name was mistyped.
const fn begins(request: &Request) -> bool {
    matches!(
        request,
        Request::AddAccount { .. }
            | Request::ImportLoginKey { .. }
            | Request::SetOperatorPassword { .. }
            | Request::Restore { .. }
    )
}

/// Makes sure that there is something in the data folder.
pub(super) fn need_data(setting: &Setting) -> Result<(), CliError> {
    if Store::is_in(&setting.data) {
        return Ok(());
    }
    Err(CliError::Failed(format!(
        "there is no data of mcos in {}: name the right folder with --data, or start the server once, which makes it",
        setting.data.display()
    )))
}

/// Whether a command makes the data folder, which is not what somebody wants who has mistyped its name.
pub(super) struct NewFolder<'a>(Option<&'a Path>);

impl<'a> NewFolder<'a> {
    /// Looks before the command begins.
    pub(super) fn look(setting: &'a Setting) -> Self {
        Self((!setting.data.exists()).then_some(&setting.data))
    }

    /// Says so once the folder is there.
    pub(super) fn tell(self) -> Result<(), CliError> {
        let Some(data) = self.0 else { return Ok(()) };
        output::line(&format!(
            "note: there was no data folder {}, so it was made; if that is not the one of your server, remove it and name the right one with --data",
            data.display()
        ))
    }
}

fn unless_refused(response: Response) -> Result<Response, CliError> {
    match response {
        Response::Refused(why) => Err(CliError::Failed(why)),
        response => Ok(response),
    }
}

/// A server of another version gave an answer that does not belong to the question.
pub(super) fn unexpected(response: &Response) -> CliError {
    CliError::Failed(format!(
        "the running server answered something else ({response:?}); restart it so that it is of the same version"
    ))
}
