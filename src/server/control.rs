//! The control socket: how the command line reaches the store while the server has it.
//!
//! `control.sock` in the data folder, for the server's own user (and root) only. One JSON line in
//! ([`Request`]), one JSON line out ([`Response`]), then the connection is closed.

use super::restart::RestartedBy;
use super::shared::{EXECUTOR, Shared};
use crate::admin::perform::{self, Performed, Server};
use crate::admin::requests::{Request, Response};
use crate::clock::Now;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use log::{error, warn};
use smol::lock::Semaphore;
use smol::{Async, Timer};
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const FILE_NAME: &str = "control.sock";

/// The longest request. A private key in PEM form has about 1 KiB.
const MAX_REQUEST: usize = 64 * 1024;

/// The longest answer: a list of some hundred thousand accounts.
const MAX_RESPONSE: u64 = 64 * 1024 * 1024;

/// How many connections may be there at the same time.
const MOST_WAITING: usize = 64;

/// How long the other side may take for its line.
const LINE_TIME: Duration = Duration::from_secs(5);

/// How long the command line waits for the server, which may have to wait for a slow card.
const ANSWER_TIME: Duration = Duration::from_mins(1);

/// The longest path that fits into a socket address of the system, without the zero byte at its end.
const MAX_PATH: usize = 107;

/// The place of the socket in a data folder. If that path is too long for a socket address, it is reached through
/// the folder's descriptor, which is kept open meanwhile.
struct Permit {
    path: PathBuf,
    _folder: Option<File>,
}

impl Permit {
    fn new(data: &Path) -> io::Result<Self> {
        let path = data.join(FILE_NAME);
        if path.as_os_str().len() <= MAX_PATH {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(FILE_NAME);
        Ok(Self { path, _folder: Some(folder) })
    }
}

/// Why the control socket cannot be opened.
#[derive(Debug)]
pub enum ControlError {
    /// A server answers there already.
    InUse(PathBuf),
    /// Something that is no socket has its name.
    NotASocket(PathBuf),
    /// The system refuses.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(data) => {
                let data = data.display();
                write!(
                    f,
                    "another mcos already serves the data folder {data}; stop it, or name another with --data"
                )
            }
            Self::NotASocket(data) => {
                write!(f, "{} is in the way of the control socket; remove it", data.join(FILE_NAME).display())
            }
            Self::Io(data, e) => {
                let path = data.join(FILE_NAME);
                write!(
                    f,
                    "cannot open the control socket {}: {e}; check the folder's permissions",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for ControlError {}

/// The open control socket. Its file goes when this is dropped.
pub(crate) struct ControlSocket {
    listener: Async<UnixListener>,
    place: Permit,
}

impl ControlSocket {
    /// Opens the socket in the data folder. The file that a dead server left behind is replaced.
    pub(crate) fn bind(data: &Path) -> Result<Self, ControlError> {
        let io = |e| ControlError::Io(data.to_path_buf(), e);
        let place = Permit::new(data).map_err(io)?;
        if let Ok(found) = fs::symlink_metadata(&place.path) {
            if !found.file_type().is_socket() {
                return Err(ControlError::NotASocket(data.to_path_buf()));
            }
            if UnixStream::connect(&place.path).is_ok() {
                return Err(ControlError::InUse(data.to_path_buf()));
            }
            fs::remove_file(&place.path).map_err(io)?;
        }
        let listener = UnixListener::bind(&place.path).map_err(io)?;
        // The data folder is closed to others already; this holds should somebody open it.
        fs::set_permissions(&place.path, Permissions::from_mode(0o600)).map_err(io)?;
        let listener = Async::new(listener).map_err(io)?;
        Ok(Self { listener, place })
    }

    /// Answers for ever: one request after the other, beside connections that have not sent theirs yet.
    pub(crate) async fn serve(&self, shared: &Arc<Shared>) {
        let (waiting, turn) = (Arc::new(Semaphore::new(MOST_WAITING)), Arc::new(Semaphore::new(1)));
        loop {
            match self.listener.accept().await {
                Ok((mut stream, _)) => {
                    // Each leaves after a while, so there will be a place.
                    let place = waiting.acquire_arc().await;
                    let (shared, turn) = (Arc::clone(shared), Arc::clone(&turn));
                    let answered = async move {
                        let _place = place;
                        if let Err(e) = answer(&shared, &turn, &mut stream).await {
                            warn!("control socket: a request was not finished: {e}");
                        }
                    };
                    EXECUTOR.spawn(answered).detach();
                }
                Err(e) => {
                    error!("control socket: cannot accept a request, trying again in a second: {e}");
                    Timer::after(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_file(&self.place.path)
            && e.kind() != ErrorKind::NotFound
        {
            warn!("control socket: its file cannot be removed: {e}");
        }
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = async {
        Timer::after(time).await;
        Err(ErrorKind::TimedOut.into())
    };
    future::or(work, late).await
}

async fn answer(shared: &Arc<Shared>, turn: &Semaphore, stream: &mut Async<UnixStream>) -> io::Result<()> {
    let line = within(LINE_TIME, read_line(stream)).await?;
    if line.is_empty() {
        // Another server looks whether this one is alive.
        return Ok(());
    }
    let _turn = turn.acquire().await;
    let shared = Arc::clone(shared);
    let mut response = smol::unblock(move || respond(&shared, &line)).await?;
    response.push(b'\n');
    within(LINE_TIME, stream.write_all(&response)).await
}

/// Reads up to the end of the line, or of what the other side sends.
async fn read_line(stream: &mut Async<UnixStream>) -> io::Result<Zeroizing<Vec<u8>>> {
    // Made in one piece, so that growing leaves no copy of a password behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_REQUEST));
    let mut piece = Zeroizing::new([0; 4096]);
    loop {
        let got = stream.read(piece.as_mut_slice()).await?;
        let piece = piece.get(..got).unwrap_or_default();
        if line.len() + piece.len() > MAX_REQUEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "the request is too long"));
        }
        line.extend_from_slice(piece);
        if piece.is_empty() || piece.contains(&b'\n') {
            return Ok(line);
        }
    }
}

/// The blocking part: the request's line to the answer's.
fn respond(shared: &Shared, line: &[u8]) -> io::Result<Vec<u8>> {
    let response = match serde_json::from_slice::<Request>(line) {
        Ok(request) => perform(shared, request),
        Err(_) => Response::Refused(
            "the running server does not know this request; restart it so that it is of the same version"
                .to_owned(),
        ),
    };
    Ok(serde_json::to_vec(&response)?)
}

fn perform(shared: &Shared, request: Request) -> Response {
    match perform::perform(Server::Running(&shared.game), request, Now::read()) {
        Ok(Performed { response, pushes }) => {
            shared.connections.deliver(pushes);
            if response == Response::RestoreStaged {
                shared.restart(RestartedBy::Operator);
            }
            response
        }
        Err(why) => Response::Refused(why.to_string()),
    }
}

/// Why a running server gave no answer.
#[derive(Debug)]
pub(crate) enum AskError {
    /// No server runs on this data folder, or it has no socket yet.
    NobodyThere,
    /// This user may not use the socket, or not see whether there is one.
    NotPermitted,
    /// The server did not answer as it should.
    Failed(io::Error),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NobodyThere => f.write_str("no server runs on this data folder"),
            Self::NotPermitted => f.write_str(
                "this user may not look into the data folder, or not talk to the server that runs on it; \
                 use sudo, or the server's own user",
            ),
            Self::Failed(e) => write!(f, "the running server gave no answer: {e}; look at its log"),
        }
    }
}

impl std::error::Error for AskError {}

/// Asks the server that runs on this data folder. Blocks; for the command line.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Response, AskError> {
    let connect = || UnixStream::connect(Permit::new(data)?.path);
    let mut stream = connect().map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::ConnectionRefused => {
            AskError::NobodyThere
        }
        ErrorKind::PermissionDenied => AskError::NotPermitted,
        _ => AskError::Failed(e),
    })?;
    exchange(&mut stream, request).map_err(AskError::Failed)
}

fn exchange(stream: &mut UnixStream, request: &Request) -> io::Result<Response> {
    stream.set_write_timeout(Some(LINE_TIME))?;
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_REQUEST));
    serde_json::to_writer(&mut *line, request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

#[cfg(test)]
mod tests;
