// The work of setup.bat and undo.bat for the server {{ host }}. Made by mcos {{ version }}.
//
// Written for cscript, which every Windows from XP on has. The two .bat files only ask questions and start this, because a
// folder's name or an answer that passes through a .bat file can be taken for a command. Here no foreign text reaches
// a command line: commands are fixed, and run in the folder whose files they mean.
//
// What the PC was like is kept in %SystemRoot%\mcos-kit:
//   before.reg         the old data of each value that a kit wrote; "-" if there was none
//   written.reg        what a kit wrote last. A value that is another one now was written by somebody else: the game's setup
//                      program, for example. It becomes the old one at the next setup, and undo leaves it alone.
//   keys.txt           registry keys that were not there before
//   folders.txt        game folders with a pub.key of a kit; key-1-before and key-1-written belong to the first, and so on
//   patched.txt        what update.bat changed in the game's folder; the player's own files have .before-mcos behind their names
//   patched-folders.txt  folders that it made there
//   hosts-made.txt     the file hosts, if a kit made it
//   certificates.txt   thumbprints of the certificates that kits put in
var HOST = "{{ host }}", BASE = "{{ base }}";
var THUMBPRINT = "{{ thumbprint.unwrap_or_default() }}";
var HOSTS_LINE = "{% if let Some(address) = hosts_address %}{{ address }} {{ host }}{% endif %}";
var HOSTS_MARK = " # mcos player kit";

{% include "kit/common.js" %}
var ROOTS = "HKLM\\SOFTWARE\\Microsoft\\SystemCertificates\\ROOT\\Certificates";
var REGFILE = IS_32_BIT ? "mcos-32bit.reg" : "mcos-64bit.reg";

// ---- The registry, by way of the files that reg.exe writes and reads: so each value keeps its type and its data

function short_key(key) { return key.replace(/^HKEY_LOCAL_MACHINE\\/i, "HKLM\\"); }
function id(key, name) { return (short_key(key) + "\n" + name).toLowerCase(); }

// The keys and values of a .reg file. "name" is as in the file, with its quotation marks.
function parse(text) {
    var found = { keys: [], values: new Object() }, key = "", part;
    var pattern = /^(?:\[([^\r\n]+)\]|("(?:[^"\\]|\\[\s\S])*"|@)=("(?:[^"\\]|\\[\s\S])*"|(?:[^"\r\n\\]|\\\r?\n)*))/gm;
    while ((part = pattern.exec(text)) != null) {
        if (part[1]) {
            key = short_key(part[1]);
            found.keys.push(key);
        } else {
            var data = part[3].charAt(0) == '"' ? part[3] : part[3].replace(/\\\r?\n\s*/g, "");
            found.values[id(key, part[2])] = { key: key, name: part[2], data: data };
        }
    }
    return found;
}

// A key with everything below it as it is now. Without the key, there is nothing.
function present(key) {
    var file = kept("present.reg");
    remove(file);
    run(SYSTEM, "reg", 'export "' + key + '" "' + file + '"');
    var found = parse(read(file, UNICODE));
    remove(file);
    return found;
}

function key_exists(key) { return run(SYSTEM, "reg", 'query "' + key + '"') == 0; }

function registry_file(values) {
    var text = "Windows Registry Editor Version 5.00\r\n", key = "";
    for (var i in values) {
        if (values[i].key != key) {
            key = values[i].key;
            text += "\r\n[" + key.replace(/^HKLM/, "HKEY_LOCAL_MACHINE") + "]\r\n";
        }
        text += values[i].name + "=" + values[i].data + "\r\n";
    }
    return text;
}

function load(name) { return parse(read(kept(name), UNICODE)).values; }
function save(name, values) { write(kept(name), registry_file(values), UNICODE); }

function data_of(values, i) { return values[i] ? values[i].data : "-"; }

// The present state of all values in "values".
function now_of(values) {
    var now = new Object(), seen = new Object();
    for (var i in values) {
        var key = values[i].key;
        if (!seen[key]) seen[key] = present(key).values;
        if (seen[key][i]) now[i] = seen[key][i];
    }
    return now;
}

// Notes a key, and those above it below SOFTWARE, if they are not there yet.
function remember_missing(key) {
    for (; key.length > HALF.length; key = key.substr(0, key.lastIndexOf("\\"))) {
        if (!key_exists(key)) remember("keys.txt", key);
    }
}

// Whether a value is somebody else's now, by what a kit wrote last. Some values are the same in every kit and in the game's
// own setup program. They are the game's if that program wrote the name of the server, in the same key if a name is there.
function theirs(i, written, now) {
    if (data_of(written, i) != data_of(now, i)) return true;
    var alike = /^"((Game|UpdateInfo|NPS)Patch|PatchServerPort|Language|AuthLogin(BaseService)?|SSLRetry|Log)"$/;
    if (!alike.test(written[i].name)) return false;
    var key = written[i].key, server = now[id(key, '"PatchServerIP"')] || now[id(key, '"AuthLoginServer"')];
    if (server == null) server = now[id(HALF + "\\Electronic Arts\\Motor City", '"PatchServerIP"')];
    return server != null && server.data != data_of(written, id(server.key, server.name));
}

function write_registry() {
    var wanted = parse(read(HERE + "\\" + REGFILE, ANSI)), i;
    var before = load("before.reg"), written = load("written.reg"), now = now_of(wanted.values);
    for (i = 0; i < wanted.keys.length; i++) remember_missing(wanted.keys[i]);
    for (i in wanted.values) {
        var value = wanted.values[i];
        if (!written[i] || theirs(i, written, now)) before[i] = now[i] || { key: value.key, name: value.name, data: "-" };
    }
    for (i in wanted.values) written[i] = wanted.values[i];
    save("before.reg", before);
    save("written.reg", written);
    run(HERE, "reg", "import " + REGFILE);
    now = now_of(wanted.values);
    for (i in wanted.values) {
        if (data_of(now, i) != wanted.values[i].data) {
            return fail("COULD NOT WRITE THE REGISTRY. Double-click " + REGFILE + " in this folder.");
        }
    }
}

function restore_registry() {
    var before = load("before.reg"), written = load("written.reg"), now = now_of(before), back = new Object(), i;
    for (i in before) {
        if (data_of(now, i) == before[i].data) continue;
        if (!theirs(i, written, now)) back[i] = before[i];
        else if (data_of(now, i) != data_of(written, i)) say("    Somebody changed " + before[i].name + " since setup; it stays as it is.");
    }
    write(kept("undo.reg"), registry_file(back), UNICODE);
    run(SYSTEM, "reg", 'import "' + kept("undo.reg") + '"');
    now = now_of(back);
    for (i in back) {
        if (data_of(now, i) != back[i].data) fail("COULD NOT PUT BACK " + back[i].name + " in " + back[i].key);
    }
}

// The longest name first: a key comes before the one that it is in. Only what is empty is deleted.
function remove_empty_keys() {
    var keys = lines("keys.txt").sort(function (a, b) { return b.length - a.length; });
    for (var i = 0; i < keys.length; i++) {
        var left = present(keys[i]), values = 0;
        for (var name in left.values) values++;
        if (left.keys.length == 1 && values == 0) run(SYSTEM, "reg", 'delete "' + keys[i] + '" /f');
    }
}

// ---- The game's folder

function write_key(folder) {
    var target = files.BuildPath(folder, "pub.key"), place = "key-" + remember("folders.txt", folder);
    var before = kept(place + "-before"), written = kept(place + "-written");
    try {
        if (!same(target, written)) {
            remove(before);
            if (files.FileExists(target)) put(target, before);
        }
        put(HERE + "\\pub.key", written);
        put(written, target);
    } catch (e) { /* said below */ }
    if (!same(written, target)) fail("COULD NOT WRITE pub.key THERE. Close the game, and start setup.bat again.");
    // Files that were copied from a disc are marked as read-only, and the game writes to its own.
    try { run(folder, "attrib", "-r * /s"); } catch (e) { fail("COULD NOT OPEN THE FOLDER."); }
}

function restore_keys() {
    var folders = lines("folders.txt");
    for (var i = 0; i < folders.length; i++) {
        var target = files.BuildPath(folders[i], "pub.key");
        var before = kept("key-" + (i + 1) + "-before"), written = kept("key-" + (i + 1) + "-written");
        if (!same(target, written)) continue;
        try {
            if (files.FileExists(before)) put(before, target); else remove(target);
        } catch (e) {
            fail("COULD NOT PUT BACK " + target + ". Close the game, and start undo.bat again.");
        }
    }
}

// Whether somebody else wrote a file after update.bat: the game's setup program, for example.
function is_replaced(entry) {
    if (entry.hash == "" || !files.FileExists(entry.target)) return false;
    if (entry.size != "" && Number(entry.size) != files.GetFile(entry.target).Size) return true;
    var hash = hash_of(entry.target);
    return hash != "" ? hash != entry.hash : entry.date != date_of(entry.target);
}

// Puts back each file that update.bat replaced, and removes those and the folders that were not there before.
function restore_patched() {
    var all = patched(), folders = lines("patched-folders.txt"), i;
    for (i = 0; i < all.length; i++) {
        var target = all[i].target, before = target + BEFORE;
        if (all[i].had != "-" && is_replaced(all[i])) {
            say("    Somebody changed " + target + " since update.bat; it stays as it is.");
            if (files.FileExists(before)) say("    What was there before is beside it: " + before);
            continue;
        }
        try {
            if (all[i].had == "1" && files.FileExists(before)) {
                remove(target);
                files.MoveFile(before, target);
            } else if (all[i].had == "0") remove(target);
        } catch (e) {
            fail("COULD NOT PUT BACK " + target + ". Close the game, and start undo.bat again.");
        }
    }
    folders.sort(function (a, b) { return b.length - a.length; });
    for (i = 0; i < folders.length; i++) {
        if (!files.FolderExists(folders[i])) continue;
        var folder = files.GetFolder(folders[i]);
        if (folder.Files.Count == 0 && folder.SubFolders.Count == 0) remove_folder(folders[i]);
    }
}

// ---- The certificate

function trusted(thumbprint) { return key_exists(ROOTS + "\\" + thumbprint); }

function install_certificate() {
    if (trusted(THUMBPRINT)) return;
    remember("certificates.txt", THUMBPRINT);
    remember_missing(ROOTS);
    if (files.FileExists(SYSTEM + "\\certutil.exe")) {
        run(HERE, "certutil", "-f -addstore Root mcos-ca.crt");
    }
    // Windows XP has no certutil. There, the machine's own store of trusted roots is this part of the registry.
    if (!trusted(THUMBPRINT)) run(HERE, "reg", "import mcos-ca.reg");
    if (!trusted(THUMBPRINT)) fail('COULD NOT INSTALL THE CERTIFICATE. See "By hand" in READ ME.txt.');
}

function remove_certificates() {
    var all = lines("certificates.txt");
    for (var i = 0; i < all.length; i++) {
        if (!/^[0-9A-F]{40}$/.test(all[i])) continue;
        if (files.FileExists(SYSTEM + "\\certutil.exe")) run(SYSTEM, "certutil", "-delstore Root " + all[i]);
        if (trusted(all[i])) run(SYSTEM, "reg", 'delete "' + ROOTS + "\\" + all[i] + '" /f');
        if (trusted(all[i])) {
            fail("A CERTIFICATE IS STILL THERE. Start mmc; File, Add/Remove Snap-in, Certificates, Computer account;");
            say("    remove " + all[i] + ' from "Trusted Root Certification Authorities".');
        }
    }
}

// ---- The file hosts

// A file that a kit made, and that has nothing else in it, goes with what the kit wrote.
function change_hosts(is_ours, added) {
    var path = SYSTEM + "\\drivers\\etc\\hosts";
    if (added && !files.FileExists(path)) remember("hosts-made.txt", path);
    var text = read(path, ANSI), all = text.split("\n"), rest = [];
    for (var i = 0; i < all.length; i++) if (!is_ours(all[i].replace(/\r$/, ""))) rest.push(all[i]);
    var changed = rest.join("\n");
    if (added && changed != "" && !/\n$/.test(changed)) changed += "\r\n";
    if (added) changed += added + "\r\n";
    if (changed == text) return;
    try {
        var marks = files.FileExists(path) ? files.GetFile(path).Attributes : 0;
        if (marks & READ_ONLY) files.GetFile(path).Attributes = marks & ~READ_ONLY & 39;
        if (changed == "" && position(lines("hosts-made.txt"), path) >= 0) return remove(path);
        write(path, changed, ANSI);
        if (marks & READ_ONLY) files.GetFile(path).Attributes = marks & 39;
    } catch (e) { /* said below */ }
    if (read(path, ANSI) != changed) fail("COULD NOT WRITE THE FILE hosts. A virus scanner may protect it.");
}

function ends_with(text, end) { return text.length >= end.length && text.substr(text.length - end.length) == end; }

// ---- Kits before this one kept whole keys in other files, and no list of their certificates

// "server" is the one whose kit was the last.
function adopt(server) {
    if (!files.FileExists(kept("kept.txt"))) return;
    var number = HALF == "HKLM\\SOFTWARE" ? "32" : "64", kinds = ["auth", "game", "nps"], i;
    var tops = ["\\EACom\\AuthAuth", "\\Electronic Arts\\Motor City", "\\Electronic Arts\\Network Play System"];
    var before = load("before.reg"), written = load("written.reg");
    for (var kind = 0; kind < kinds.length; kind++) {
        var old = parse(read(kept(number + "-" + kinds[kind] + ".reg"), UNICODE)).values;
        var now = present(HALF + tops[kind]).values;
        for (i in now) {
            if (data_of(old, i) == now[i].data) continue;
            // What that kit did not write is somebody else's.
            var named = /^"(AuthLoginServer|PatchServerIP|CreateAccount|ShardUrl(Dev)?|TickerUrl)"$/.test(now[i].name);
            var fixed = /^"((Game|UpdateInfo|NPS)Patch|PatchServerPort|AuthLoginBaseService|Log)"$/.test(now[i].name)
                || now[i].name + now[i].data == '"Language""English"';
            if (!fixed && !(named && server != "" && now[i].data.indexOf(server) >= 0)) continue;
            before[i] = before[i] || old[i] || { key: now[i].key, name: now[i].name, data: "-" };
            written[i] = now[i];
        }
        if (files.FileExists(kept(number + "-" + kinds[kind] + ".reg"))) continue;
        // The key was not there. Undo deletes what is empty then, and a key that was empty before is no loss.
        var keys = [HALF + tops[kind], HALF + "\\EACom", HALF + tops[kind] + "\\1.0", HALF + tops[kind] + "\\AuthAuth"];
        for (i = 0; i < keys.length; i++) remember("keys.txt", keys[i]);
    }
    save("before.reg", before);
    save("written.reg", written);
    var folder = game_in(registry_text(KIT_KEY, "GameFolder"));
    if (folder != "") {
        var place = "key-" + remember("folders.txt", folder), target = files.BuildPath(folder, "pub.key");
        var first = !files.FileExists(kept(place + "-written"));
        if (first && files.FileExists(kept("pub.key"))) put(kept("pub.key"), kept(place + "-before"));
        if (files.FileExists(target)) put(target, kept(place + "-written"));
    }
    // "(Motor City Online at home)" is in the name of each server's own authority, and in no other.
    var roots = present(ROOTS).values, name = "(Motor City Online at home)", digits = [];
    for (i = 0; i < name.length; i++) digits.push(name.charCodeAt(i).toString(16));
    for (i in roots) {
        var thumbprint = roots[i].key.substr(roots[i].key.lastIndexOf("\\") + 1);
        if (roots[i].data.toLowerCase().indexOf(digits.join(",")) >= 0) remember("certificates.txt", thumbprint.toUpperCase());
    }
    remove(kept("kept.txt"));
}

{% include "kit/selftest.js" %}
// ---- What the .bat files start

// Only an administrator may write there. This tries it, because every Windows version reports it in another way.
function begin() {
    var server = registry_text(KIT_KEY, "Server");
    if (run(HERE, "reg", "add " + KIT_KEY + " /v Server /t REG_SZ /d " + HOST + " /f") != 0) return false;
    if (!files.FolderExists(KEEP)) files.CreateFolder(KEEP);
    adopt(server);
    return true;
}

function find() {
    if (!begin()) return NO_RIGHTS;
    if (find_game() != "") return DONE;
    say_where_the_game_is();
    return NO_GAME;
}

function setup() {
    var needed = [REGFILE, "pub.key"];
    if (THUMBPRINT) needed.push("mcos-ca.crt", "mcos-ca.reg");
    for (var i = 0; i < needed.length; i++) if (!files.FileExists(HERE + "\\" + needed[i])) return INCOMPLETE;
    if (!begin()) return NO_RIGHTS;
    say("  1. The game's folder");
    var folder = find_game();
    if (folder != "") {
        say("    " + folder);
        write_key(folder);
    } else fail("NOT FOUND. Copy the file pub.key into the game's folder yourself.");
    if (!key_exists("HKCR\\DAO.DBEngine.35")) {
        say("    DAO 3.5 IS MISSING ON THIS PC. The game cannot open its own database without it. Its setup program on the");
        say('    discs installs it; see "If DAO 3.5 is missing" in READ ME.txt.');
    }
    say("  2. The address of the server, in the registry");
    write_registry();
    if (THUMBPRINT) {
        say("  3. The server's certificate");
        install_certificate();
    } else say("  3. This server has no certificate, so none is installed");
    var answer = environment("MCOS_HOSTS");
    if (HOSTS_LINE && answer != "") {
        say("  4. The file hosts");
        if (/^\s*y/i.test(answer)) {
            var end = " " + HOST + HOSTS_MARK;
            change_hosts(function (line) { return ends_with(line, end); }, HOSTS_LINE + HOSTS_MARK);
        } else fail("Nothing is written there. This PC does not find " + HOST + " by itself.");
    }
    say("");
    if (problems) say("  At least one step failed, see above. READ ME.txt explains what to do.");
    else say("  Done. Start the game and sign in with the account you made at " + BASE);
    return problems ? FAILED : DONE;
}

function undo() {
    if (!begin()) return NO_RIGHTS;
    say("  1. The settings of the game");
    restore_registry();
    say("  2. The old pub.key");
    restore_keys();
    say("  3. The certificates of all servers whose kits were used");
    remove_certificates();
    remove_empty_keys();
    say("  4. The file hosts");
    change_hosts(function (line) { return ends_with(line, HOSTS_MARK); }, "");
    say("  5. The files that update.bat changed");
    restore_patched();
    if (!problems) remove_folder(KEEP);
    if (!problems) run(HERE, "reg", "delete " + KIT_KEY + " /f");
    say("");
    if (problems) say("  At least one step failed, see above. Start undo.bat again afterwards.");
    else say("  Done. What the kits changed is as it was before.");
    return problems ? FAILED : DONE;
}

quit(function (what) {
    switch (what) {
        case "find": return find();
        case "setup": return setup();
        case "undo": return undo();
        case "test": return tested();
        case "elevate-setup": return elevate("setup.bat");
        case "elevate-undo": return elevate("undo.bat");
        default: return READY;
    }
});
