//! Two boxes in one network that are both called mcos: the second one has another name then, and says so.

use crate::programs::may_mount;
use crate::support::browser::Browser;
use crate::support::{Server, skipped};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// Has `$0` see the folder `$MCOS_RESOLVER` where systemd-resolved has its socket.
const BESIDE_A_RESOLVER: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd && \
                                 ln -s \"$MCOS_RESOLVER\" /run/systemd/resolve && exec \"$0\" \"$@\"";

/// A stand-in for systemd-resolved, which answers whatever it is asked with the name that it has given this machine.
fn resolver(listener: &UnixListener, name: &Mutex<&'static str>) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut asked = Vec::new();
        BufReader::new(&stream).read_until(0, &mut asked).unwrap();
        let name = *name.lock().unwrap();
        let names =
            format!("[{{\"ifindex\":1,\"name\":\"mcos\"}},{{\"ifindex\":1,\"name\":\"{name}.local\"}}]");
        let _ = write!(stream, "{{\"parameters\":{{\"names\":{names},\"flags\":786945}}}}\0");
    }
}

#[test]
fn a_box_whose_name_somebody_else_has_tells_its_real_one_and_proves_it() {
    let way_in = ["unshare", "--map-root-user", "--mount", "sh", "-c", BESIDE_A_RESOLVER];
    if !may_mount() {
        return skipped("two boxes with one name: this user may not mount (util-linux)");
    }
    let mut server = Server::prepare();
    let sockets = server.path().join("resolver");
    fs::create_dir(&sockets).unwrap();
    let listener = UnixListener::bind(sockets.join("io.systemd.Resolve")).unwrap();
    let name = Arc::new(Mutex::new("mcos"));
    thread::spawn({
        let name = Arc::clone(&name);
        move || resolver(&listener, &name)
    });
    server.put_on_box();
    server.go(way_in.map(OsString::from).to_vec());
    server.set("MCOS_RESOLVER", sockets);
    server.start();
    server.await_status(|text| text.contains("READY") && text.contains("://mcos.local:"));
    let browser = Browser::new(&server);
    assert!(browser.is_certified("mcos.local") && !browser.is_certified("mcos3.local"));

    *name.lock().unwrap() = "mcos3";
    let status = server.await_status(|text| text.contains("://mcos3.local:"));
    assert!(!status.contains("://mcos.local:"), "that leads to the other box: {status}");
    assert!(browser.is_certified("mcos3.local") && browser.is_certified("mcos.local"));
    assert!(server.log().contains("the network knows this machine as mcos3.local"), "{}", server.log());
    // And from the first moment of the next start.
    server.stop();
    server.start();
    let browser = Browser::new(&server);
    assert!(browser.is_certified("mcos3.local"));
    server.await_status(|text| text.contains("READY") && text.contains("://mcos3.local:"));
}
