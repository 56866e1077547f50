// ---- The test: whether this PC reaches the server the way the game does. The server says in words what it has seen of this PC.

var ADDRESS_BASE = "{% if let Some(base) = address_base %}{{ base }}{% endif %}", ADDRESS = "{% if let Some(address) = address %}{{ address }}{% endif %}";
var AUTH_PORT = {{ auth_port }}, TEST_PORTS = [{{ test_ports }}];
// What Windows calls a name that nobody knows, an answer that does not come in time, and two ways to use a request before it is open.
var NO_SUCH_NAME = 12007, NO_ANSWER = 12002, NOT_OPEN = 12019, NOT_OPEN_YET = 12101;
var trouble = 0;

// What the server answers, without the settings of Internet Explorer. If that is nothing: null, or "" after an answer that says so, and
// "trouble" is the number of why, of Windows or of HTTP.
function ask(address, seconds) {
    var answer;
    // Wine 8 says so now and then after another request was given up, and has sent nothing.
    for (var left = 5; left > 0; left--) {
        answer = ask_once(address, seconds);
        if (trouble != NOT_OPEN && trouble != NOT_OPEN_YET) break;
    }
    return answer;
}

function ask_once(address, seconds) {
    trouble = 0;
    try {
        var request = new ActiveXObject("WinHttp.WinHttpRequest.5.1");
        request.SetTimeouts(5000, 5000, seconds * 1000, seconds * 1000);
        request.Open("GET", address, true);
        request.Send();
        // Wine waits for ever for a service that says nothing, unless it is waited for so.
        if (!request.WaitForResponse(seconds)) {
            request.Abort();
            trouble = NO_ANSWER;
            return null;
        }
        if (request.Status == 200) return String(request.ResponseText);
        trouble = request.Status;
        return "";
    } catch (e) {
        trouble = e.number & 65535;
        return null;
    }
}

// The same with the settings of Internet Explorer, as the game does it. Nobody is asked about a certificate: it is refused.
function ask_as_the_game(address) {
    try {
        var request;
        try { request = new ActiveXObject("MSXML2.XMLHTTP"); } catch (e) { request = new ActiveXObject("Microsoft.XMLHTTP"); }
        request.open("GET", address, false);
        request.send();
    } catch (e) { /* The server knows what has arrived. */ }
}

function begin_test(base) {
    var answer = ask(base + "kit/test/begin", 10), all = answer == null ? [] : answer.split("\r\n");
    return all[0] == "mcos self-test 1" ? all[1] : null;
}

function test() {
    say("  Does this PC reach the server?");
    var host = HOST, base = BASE, begun = begin_test(base);
    // The game knows no IPv6.
    if (begun == "ipv6" && ADDRESS != "") {
        host = ADDRESS;
        base = ADDRESS_BASE;
        begun = begin_test(base);
    }
    if (begun == "ipv6") return fail("It does, but by IPv6, which the game does not know. Get a kit from the page by its IPv4 address.");
    if (begun == null) {
        if (trouble == NO_SUCH_NAME) fail("NO: this PC does not find the name " + host + ". Is it in the same network as the server?");
        else fail("NO: nothing answers at " + base + " Is the server switched on, and in the same network?");
        return say("    If a browser of this PC opens that page, a firewall or a virus scanner stops other programs.");
    }
    for (var i = 0; i < TEST_PORTS.length; i++) ask("http://" + host + ":" + TEST_PORTS[i] + "/", 1);
    // Where nothing answers, Internet Explorer would be waited for for minutes.
    if (ask(base + "kit/test/auth", 10) == "yes\r\n") {
        ask_as_the_game("https://" + host + (AUTH_PORT == 443 ? "" : ":" + AUTH_PORT) + "/kit/test/secure?" + Math.random());
    }
    // A busy PC or server may lose one answer; the server remembers what it has seen.
    var told = null;
    for (var left = 3; left > 0 && !told; left--) {
        told = ask(base + "kit/test/result", 10);
        for (var waits = 0; !told && waits < 4; waits++) wait();
    }
    if (!told) return fail("The server did not say what it has seen (" + trouble + "). Look at " + BASE + "diagnose or start test.bat again.");
    var all = told.split("\r\n");
    for (var at = 1; at < all.length && at < 40; at++) if (/^[ -~]{1,120}$/.test(all[at])) say("    " + all[at]);
    if (all[0] != "passed") fail("At least one step failed. The page " + BASE + "diagnose shows this, too.");
}

function tested() {
    test();
    return problems ? FAILED : DONE;
}
