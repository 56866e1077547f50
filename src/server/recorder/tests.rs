use super::*;
use crate::admin::recordings::{self, RecordingSwitch as _, Whom};
use crate::clock::Now;
use crate::world::World;
use mco_proto::nps::Incoming;
use std::time::Duration;

fn lines(folder: &Path) -> Vec<Vec<Line>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    files.iter().map(read).collect()
}

fn sizes(folder: &Path) -> Vec<u64> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect()
}

fn world() -> World {
    World::new(&crate::config::Limits::default(), Vec::new())
}

fn recording(recorder: &Arc<Recorder>, world: &World) -> Option<Connection> {
    recorder.open(Service::Mail, 8227, world.new_connection(), "127.0.0.1:5".parse().unwrap())
}

/// A message of 104 bytes and its answer of 4.
fn talk(recording: &mut Connection) {
    let packet = Packet { id: id::LIST_EMAILS, form: nps::Form::Short, body: vec![7; 100] };
    let mut wire = Vec::new();
    packet.encode(&mut wire).unwrap();
    // In two pieces, as a network may deliver it.
    let (first, second) = wire.split_at(50);
    recording.received(first);
    recording.received(second);
    recording.packet_received(&Incoming { packet, encrypted: false }, 104);
    let mut wire = Vec::new();
    Packet::bare(id::ACK).encode(&mut wire).unwrap();
    recording.packet_sent(&Packet::bare(id::ACK), &wire);
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    (folder, path)
}

const SMALL: Bounds = Bounds { file: 2000, run: 5000, files: 4, waiting: 1 << 20 };

#[test]
fn what_passed_is_written_in_order_and_what_did_not_go_out_is_not() {
    let (_keep, path) = folder();
    let (recorder, world) = (Recorder::start(&path).unwrap(), world());
    let mut mail = recording(&recorder, &world).unwrap();
    talk(&mut mail);
    mail.written();
    talk(&mut mail);
    mail.withdrawn();
    mail.written();
    talk(&mut mail);
    mail.ended("lost");
    recorder.finish();
    let [file] = &lines(&path)[..] else { panic!("one file") };
    let Line::Connection(opening) = &file[0] else { panic!("{file:?}") };
    assert_eq!((opening.service.as_str(), opening.port, opening.format), ("mail", 8227, FORMAT));
    let sides: Vec<_> = file[1..5]
        .iter()
        .map(|line| match line {
            Line::Message(passed) => (passed.from, passed.raw.0.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    let heard = (Side::Client, 104);
    assert_eq!(sides, [heard, (Side::Server, 4), heard, heard]);
    assert!(matches!(&file[5], Line::End { why, .. } if why == "lost"));
}

#[test]
fn a_file_ends_at_its_bound_and_says_so() {
    let (_keep, path) = folder();
    let (recorder, world) = (Recorder::bounded(&path, SMALL).unwrap(), world());
    let mut mail = recording(&recorder, &world).unwrap();
    for _ in 0..100 {
        talk(&mut mail);
        mail.written();
    }
    mail.ended("done");
    recorder.finish();
    assert!(sizes(&path).iter().all(|size| *size <= SMALL.file), "{:?}", sizes(&path));
    let files = lines(&path);
    assert!(
        matches!(files[0].last(), Some(Line::Stopped { why }) if why.contains("2000 bytes")),
        "{files:?}"
    );
}

#[test]
fn a_run_ends_at_its_bounds_of_bytes_and_of_files() {
    let (_keep, path) = folder();
    let (recorder, world) = (Recorder::bounded(&path, SMALL).unwrap(), world());
    let mut taps: Vec<_> = (0..10).filter_map(|_| recording(&recorder, &world)).collect();
    assert_eq!(taps.len(), 4, "so many files there may be");
    for _ in 0..20 {
        for mail in &mut taps {
            talk(mail);
            mail.written();
        }
    }
    recorder.finish();
    assert!(sizes(&path).iter().sum::<u64>() <= SMALL.run, "{:?}", sizes(&path));
    let stopped =
        |file: &Vec<Line>| matches!(file.last(), Some(Line::Stopped { why }) if why.contains("5000 bytes"));
    assert!(lines(&path).iter().all(stopped), "{:?}", lines(&path));
    assert!(taps.iter().all(|recording| recording.stopped.load(Ordering::Relaxed)));
    assert!(recording(&recorder, &world).is_none());
}

#[test]
fn what_does_not_fit_the_queue_is_left_out_with_a_note() {
    let (_keep, path) = folder();
    let narrow = Bounds { waiting: 2 * OVERHEAD, ..Bounds::USUAL };
    let (recorder, world) = (Recorder::bounded(&path, narrow).unwrap(), world());
    let mut mail = recording(&recorder, &world).unwrap();
    let large = Packet { id: id::LIST_EMAILS, form: nps::Form::Short, body: vec![7; 1000] };
    let mut wire = Vec::new();
    large.encode(&mut wire).unwrap();
    mail.packet_sent(&large, &wire);
    mail.packet_sent(&large, &wire);
    mail.written();
    while recorder.waiting.load(Ordering::Relaxed) > 0 {
        thread::yield_now();
    }
    mail.ended("done");
    recorder.finish();
    let files = lines(&path);
    let lost = files[0].iter().map(|line| if let Line::Lost { messages } = line { *messages } else { 0 });
    assert_eq!(lost.sum::<u64>(), 2, "{files:?}");
}

#[test]
fn a_folder_is_for_its_owner_and_for_one_recording() {
    let (_keep, path) = folder();
    let (recorder, world) = (Recorder::start(&path).unwrap(), world());
    let mut mail = recording(&recorder, &world).unwrap();
    mail.ended("done");
    recorder.finish();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let again = Recorder::start(&path).err().unwrap().to_string();
    assert!(again.contains("holds a recording already"), "{again}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let open = Recorder::start(&path).err().unwrap().to_string();
    assert!(open.contains("chmod 700"), "{open}");
    let file = path.join("file");
    fs::write(&file, "").unwrap();
    let no_folder = Recorder::start(&file).err().unwrap().to_string();
    assert!(no_folder.contains("cannot record to"), "{no_folder}");
}

#[test]
fn a_recording_that_was_switched_on_ends_when_its_time_is_over() {
    let (game, _folder) = crate::services::Game::for_tests();
    let switch = Recordings::new(Arc::new(game));
    let now = Now::read();
    switch.start(Whom::Everybody, 3, now).unwrap();
    let twice = switch.start(Whom::Everybody, 3, now).unwrap_err();
    assert!(twice.contains("Stop it first"), "{twice}");
    switch.look_at_the_time(now.later(Duration::from_secs(179)));
    assert_eq!(switch.running().unwrap().until, now.unix + 180);
    switch.look_at_the_time(now.later(Duration::from_mins(3)));
    assert_eq!(switch.running(), None);
    assert!(!switch.stop(), "it is off already");
    assert_eq!(switch.ended().unwrap(), "recording-000001 ended by itself: its time is over.");
    // However long is asked for.
    switch.start(Whom::Everybody, u64::MAX, now).unwrap();
    let most = Duration::from_mins(recordings::MOST_MINUTES);
    assert_eq!(switch.ended(), None, "this one has not ended");
    switch.look_at_the_time(now.later(most));
    assert_eq!(switch.running(), None);
}

#[test]
fn a_recording_that_the_card_does_not_take_ends_and_says_so() {
    let (game, _folder) = crate::services::Game::for_tests();
    let game = Arc::new(game);
    let switch = Recordings::new(Arc::clone(&game));
    let now = Now::read();
    switch.start(Whom::Everybody, 3, now).unwrap();
    fs::remove_dir_all(game.data.join("recordings")).unwrap();
    let (connection, peer) = (world().new_connection(), "127.0.0.1:5".parse().unwrap());
    let _connection = Switched::new(Arc::clone(&switch), Service::Mail, 8227, connection, peer);
    // As soon as the thread that writes has found out.
    while switch.running().is_some() {
        switch.look_at_the_time(now);
        thread::yield_now();
    }
    let ended = switch.ended().unwrap();
    assert_eq!(ended, "recording-000001 ended by itself: the card did not take what was recorded.");
    switch.start(Whom::Everybody, 3, now).unwrap();
    assert!(switch.stop());
    assert_eq!(switch.ended(), None, "the operator ended it");
}
