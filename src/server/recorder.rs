//! `mcos serve --record DIR`: what passes on each connection, one file for each. See `docs/recording.md`.
//!
//! Connections hand lines to one thread through a bounded queue and never wait for it: what does not fit is left out,
//! and a line says so. HTTP, which carries passwords, has no [`Connection`].

mod switch;
mod writer;

pub(crate) use switch::Recordings;
pub(super) use switch::Switched;

use super::bind::Service;
use super::observer::Observer;
use crate::admin::recordings;
use crate::recording::{self, Bytes, EXTENSION, FORMAT, Line, Opening, Passed, Side};
use crate::world::ConnectionId;
use mco_proto::mcots;
use mco_proto::nps::{self, Packet, id};
use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use writer::{Job, Writer};

/// What a waiting line weighs besides its bytes.
const OVERHEAD: usize = 200;

/// Bytes of the header of a Transaction Packet.
const MCOTS_HEADER: usize = 11;

/// What may be held of a connection before it is known whose it is: a sign-in is far smaller.
const HELD: usize = 16 << 10;

/// How much is recorded at most.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Bytes of one file.
    file: u64,
    /// Bytes of all files of a run.
    run: u64,
    /// Files of a run.
    files: u64,
    /// Bytes that wait to be written.
    waiting: usize,
}

impl Bounds {
    const USUAL: Self = Self { file: 4 << 20, run: 256 << 20, files: 1000, waiting: 4 << 20 };
    /// Those of a recording that the Operator switches on at a page: it is downloaded as one file.
    const SWITCHED: Self = Self { run: recordings::MOST_BYTES, ..Self::USUAL };
}

/// Lines that wait to be written.
const QUEUE: usize = 4096;

/// Why nothing can be recorded.
#[derive(Debug)]
pub enum RecordError {
    /// The folder can't be made or read.
    Folder(PathBuf, io::Error),
    /// Others may read what is in the folder.
    Open(PathBuf),
    /// The folder holds a recording.
    Used(PathBuf),
    /// No thread to write with.
    Thread(io::Error),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder, why) => {
                write!(
                    f,
                    "cannot record to {}: {why}; name a folder that can be made there",
                    folder.display()
                )
            }
            Self::Open(folder) => write!(
                f,
                "cannot record to {0}: other users of this machine may look into it; chmod 700 {0}, or name a new folder",
                folder.display()
            ),
            Self::Used(folder) => write!(
                f,
                "cannot record to {}: it holds a recording already; name an empty or a new folder",
                folder.display()
            ),
            Self::Thread(why) => write!(f, "cannot record: no thread to write with: {why}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// A run of the server that is being recorded.
pub(crate) struct Recorder {
    bounds: Bounds,
    queue: SyncSender<(Job, usize)>,
    /// Bytes that wait in the queue.
    waiting: Arc<AtomicUsize>,
    /// Why nothing more is recorded: the run's bound is reached, or the card does not take any more.
    full: Arc<OnceLock<&'static str>>,
    order: AtomicU64,
    files: AtomicU64,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Makes the folder, readable for its owner only, and the thread that writes into it.
    pub(crate) fn start(folder: &Path) -> Result<Arc<Self>, RecordError> {
        Self::bounded(folder, Bounds::USUAL)
    }

    fn bounded(folder: &Path, bounds: Bounds) -> Result<Arc<Self>, RecordError> {
        prepare(folder)?;
        let (queue, jobs) = sync_channel(QUEUE);
        let (waiting, full) = (Arc::new(AtomicUsize::new(0)), Arc::new(OnceLock::new()));
        let writer = Writer::new(folder, bounds, Arc::clone(&waiting), Arc::clone(&full));
        let thread = thread::Builder::new()
            .name("mcos-record".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(RecordError::Thread)?;
        log::info!("recording what passes, chat and mail included, to {}", folder.display());
        Ok(Arc::new(Self {
            bounds,
            queue,
            waiting,
            full,
            order: AtomicU64::new(1),
            files: AtomicU64::new(0),
            writer: Mutex::new(Some(thread)),
        }))
    }

    /// Begins the file of a connection, if there may be one more.
    pub(super) fn open(
        self: &Arc<Self>,
        service: Service,
        port: u16,
        connection: ConnectionId,
        peer: SocketAddr,
    ) -> Option<Connection> {
        let mut recording = self.held(service, port, connection, peer, false);
        recording.release().then_some(recording)
    }

    /// A connection of which nothing is written before [`Connection::release`]. `is_late`: it was made before the recording began.
    fn held(
        self: &Arc<Self>,
        service: Service,
        port: u16,
        connection: ConnectionId,
        peer: SocketAddr,
        is_late: bool,
    ) -> Connection {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let opening = Line::Connection(Opening {
            format: FORMAT,
            order: self.next(),
            service: service.to_string(),
            port,
            connection: connection.number(),
            peer: peer.to_string(),
            unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
            late: is_late,
        });
        Connection {
            recorder: Arc::clone(self),
            stopped: Arc::new(AtomicBool::new(false)),
            file: 0,
            name: service.to_string(),
            held: Some(Held { opening, lines: Vec::new(), weight: OVERHEAD }),
            login: service == Service::Login,
            began: Instant::now(),
            inbox: Vec::new(),
            pending: Vec::new(),
            lost: 0,
        }
    }

    /// Writes what waits and ends.
    pub(crate) fn finish(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // Both fail only if the thread is gone already.
            let _ = self.queue.send((Job::Finish, 0));
            let _ = writer.join();
        }
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed)
    }
}

fn prepare(folder: &Path) -> Result<(), RecordError> {
    let failed = |why| RecordError::Folder(folder.to_owned(), why);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    if fs::metadata(folder).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(RecordError::Open(folder.to_owned()));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        if entry.map_err(failed)?.path().extension().is_some_and(|extension| extension == EXTENSION) {
            return Err(RecordError::Used(folder.to_owned()));
        }
    }
    Ok(())
}

/// What a connection tells the recorder.
pub(super) struct Connection {
    recorder: Arc<Recorder>,
    /// Set by the writer: nothing more of this connection is wanted.
    stopped: Arc<AtomicBool>,
    file: u64,
    /// Name of the service, which the name of the file ends with.
    name: String,
    /// What is not written before it is known that it is wanted.
    held: Option<Held>,
    /// Whether this is the Login service.
    login: bool,
    began: Instant,
    /// What arrived from the Client and has not been taken as a message yet.
    inbox: Vec<u8>,
    /// Lines of the messages whose answers have not gone out yet.
    pending: Vec<Passed>,
    /// Messages left out since the last line.
    lost: u64,
}

/// The lines of a connection that may not be wanted.
struct Held {
    opening: Line,
    /// Each with its weight.
    lines: Vec<(Line, usize)>,
    weight: usize,
}

impl Observer for Connection {
    fn received(&mut self, bytes: &[u8]) {
        if self.stopped.load(Ordering::Relaxed) {
            self.inbox = Vec::new();
        } else {
            self.inbox.extend_from_slice(bytes);
        }
    }

    fn packet_received(&mut self, incoming: &nps::Incoming, size: usize) {
        let raw = self.frame(size);
        self.packet(Side::Client, &incoming.packet, incoming.encrypted, raw);
    }

    fn body_received(&mut self, incoming: &mcots::Incoming, size: usize) {
        let raw = self.frame(size);
        self.body(Side::Client, &incoming.body, incoming.flags.has(mcots::Flags::ENCRYPTED), raw);
    }

    fn packet_sent(&mut self, packet: &Packet, raw: &[u8]) {
        let encrypted = raw.starts_with(&id::ENCRYPTED.0.to_be_bytes());
        self.packet(Side::Server, packet, encrypted, raw.to_vec());
    }

    fn body_sent(&mut self, body: &mcots::Body, raw: &[u8]) {
        let encrypted = raw.get(10).is_some_and(|flags| mcots::Flags(*flags).has(mcots::Flags::ENCRYPTED));
        self.body(Side::Server, body, encrypted, raw.to_vec());
    }

    fn withdrawn(&mut self) {
        while self.pending.pop_if(|passed| passed.from == Side::Server).is_some() {}
    }

    fn written(&mut self) {
        for passed in std::mem::take(&mut self.pending) {
            self.line(passed);
        }
    }

    fn ended(&mut self, why: &str) {
        self.pending.retain(|passed| passed.from == Side::Client);
        self.written();
        let line = Line::End { order: self.recorder.next(), ms: self.ms(), why: why.to_owned() };
        self.note_lost();
        self.hand_over(line, OVERHEAD);
    }
}

impl Connection {
    /// Takes the message at the front of what arrived.
    fn frame(&mut self, size: usize) -> Vec<u8> {
        let frame = self.inbox.drain(..size.min(self.inbox.len())).collect();
        if self.inbox.is_empty() {
            self.inbox = Vec::new();
        }
        frame
    }

    fn packet(&mut self, from: Side, packet: &Packet, encrypted: bool, raw: Vec<u8>) {
        let number = packet.id;
        let (raw, plain, cut) = match (recording::cut(packet, from, self.login), encrypted) {
            (None, false) => (raw, None, false),
            (None, true) => (raw, Some(packet.body.clone()), false),
            (Some(cut), true) => (Vec::new(), Some(cut.body), true),
            (Some(cut), false) => {
                // The header stays as it passed: whether its second length is right is for the reader to see.
                let mut kept = raw;
                kept.truncate(cut.form.size());
                kept.extend_from_slice(&cut.body);
                (kept, None, true)
            }
        };
        self.push(from, number.0, raw, plain, cut);
    }

    fn body(&mut self, from: Side, body: &mcots::Body, encrypted: bool, raw: Vec<u8>) {
        let number = body.number().unwrap_or_default();
        let secret = recording::cut_body(body).filter(|_| from == Side::Server);
        let is_cut = secret.is_some();
        let plain = secret.as_ref().unwrap_or(body);
        let mut raw = raw;
        if is_cut {
            // The header stays, with what the replay needs of it.
            raw.truncate(MCOTS_HEADER);
            if !encrypted {
                raw.extend_from_slice(&plain.0);
            }
        }
        self.push(from, number.0, raw, encrypted.then(|| plain.0.clone()), is_cut);
    }

    fn push(&mut self, from: Side, number: u16, raw: Vec<u8>, plain: Option<Vec<u8>>, cut: bool) {
        if self.stopped.load(Ordering::Relaxed) {
            return;
        }
        // Numbered now, not when it is written to the socket: what others do because of it comes later.
        let (order, ms) = (self.recorder.next(), self.ms());
        self.pending.push(Passed { order, ms, from, number, raw: Bytes(raw), plain: plain.map(Bytes), cut });
    }

    fn line(&mut self, passed: Passed) {
        let weight = OVERHEAD + passed.raw.0.len() + passed.plain.as_ref().map_or(0, |plain| plain.0.len());
        self.note_lost();
        if self.lost > 0 || !self.hand_over(Line::Message(passed), weight) {
            self.lost += 1;
        }
    }

    /// Says how many messages were left out, once there is room to say so.
    fn note_lost(&mut self) {
        if self.lost > 0 && self.hand_over(Line::Lost { messages: self.lost }, OVERHEAD) {
            self.lost = 0;
        }
    }

    /// The connection is wanted: begins its file, if there may be one more, with what was held.
    fn release(&mut self) -> bool {
        let Some(Held { opening, lines, .. }) = self.held.take() else { return true };
        let recorder = &self.recorder;
        if recorder.full.get().is_some() {
            return false;
        }
        self.file = recorder.files.fetch_add(1, Ordering::Relaxed);
        if self.file >= recorder.bounds.files {
            if self.file == recorder.bounds.files {
                log::warn!(
                    "{} connections are recorded, which is the bound: those that follow are not",
                    self.file
                );
            }
            return false;
        }
        let name = format!("{:06}-{}.{EXTENSION}", self.file + 1, self.name);
        let job = Job::Open { file: self.file, name, line: opening, stopped: Arc::clone(&self.stopped) };
        if !self.queue(job, OVERHEAD) {
            return false;
        }
        for (line, weight) in lines {
            if !self.hand_over(line, weight) {
                self.lost += 1;
            }
        }
        true
    }

    /// Takes a line to be written, if there is room.
    fn hand_over(&mut self, line: Line, weight: usize) -> bool {
        let Some(held) = &mut self.held else {
            let job = Job::Line { file: self.file, line, _stopped: Arc::clone(&self.stopped) };
            return self.queue(job, weight);
        };
        let has_room = held.weight + weight <= HELD;
        if has_room {
            held.weight += weight;
            held.lines.push((line, weight));
        }
        has_room
    }

    /// Puts a job into the queue, if it has room.
    fn queue(&self, job: Job, weight: usize) -> bool {
        let recorder = &self.recorder;
        let waiting = recorder.waiting.fetch_add(weight, Ordering::Relaxed);
        let room = waiting + weight <= recorder.bounds.waiting;
        let taken = room && recorder.queue.try_send((job, weight)).is_ok();
        if !taken {
            recorder.waiting.fetch_sub(weight, Ordering::Relaxed);
        }
        taken
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
