// The work of update.bat for the server {{ host }}. Made by mcos {{ version }}.
//
// Fetches the files that the server offers for the game. A file is fetched beside its place under another name, and put there
// only when it is whole. Nothing is written outside of the game's folder and of %SystemRoot%\mcos-kit.
var BASE = "{{ base }}";

{% include "kit/common.js" %}
var NEW = ".mcos-new", LIST = "patch-list.txt";
// So many bytes are asked for at once.
var PIECE = 524288;

// ---- What the server offers

function get(address, first, last) {
    var request;
    try { request = new ActiveXObject("MSXML2.XMLHTTP"); } catch (e) { request = new ActiveXObject("Microsoft.XMLHTTP"); }
    request.open("GET", BASE + address, false);
    if (last != null) request.setRequestHeader("Range", "bytes=" + first + "-" + last);
    request.send();
    return request;
}

// Whether a path leads to a file below the game's folder. The server has looked already, but it may be another one.
function is_safe(path) {
    if (path.length > 120 || !/^[A-Za-z0-9 !#$%&'()+,\-.;=@\[\]^_`{}\/]+$/.test(path)) return false;
    var parts = path.split("/"), device = /^(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9]) *(\.|$)/i;
    for (var i = 0; i < parts.length; i++) {
        if (parts[i] == "" || /^ |[ .]$/.test(parts[i]) || device.test(parts[i])) return false;
    }
    return parts.length <= 8 && !/\.(before-mcos|mcos-new)$/i.test(path) && !/^pub\.key$/i.test(path);
}

// The files of a list, or null if it is none.
function entries(text) {
    var all = text.split("\r\n"), found = [];
    if (all[0] != "mcos patch set 1" || all.length > 102) return null;
    for (var i = 1; i < all.length; i++) {
        if (all[i] == "") continue;
        var part = all[i].split("\t");
        var sound = part.length >= 3 && /^[0-9a-f]{64}$/.test(part[0]) && /^[1-9][0-9]{0,8}$/.test(part[1]) && is_safe(part[2]);
        if (!sound) return null;
        found.push({ hash: part[0], size: Number(part[1]), path: part[2].replace(/\//g, "\\"), note: part[3] || "" });
    }
    return found;
}

function address_of(entry) { return "patch/" + encodeURI(entry.path.replace(/\\/g, "/")).replace(/#/g, "%23").replace(/;/g, "%3B"); }

function is_program(entry) { return /\.(exe|dll|com|bat|cmd|scr|ocx|js|vbs|sys|pif|msi|reg)$/i.test(entry.path); }

// ---- What is there

function record_of(target) {
    var all = patched();
    for (var i = 0; i < all.length; i++) if (all[i].target.toLowerCase() == target.toLowerCase()) return all[i];
    return null;
}

// With an empty hash: it is about to be put in place.
function note(target, hash, had) {
    var all = patched(), rest = [], there = hash != "" && files.FileExists(target);
    for (var i = 0; i < all.length; i++) {
        if (all[i].target.toLowerCase() == target.toLowerCase()) continue;
        rest.push([all[i].target, all[i].hash, all[i].date, all[i].had, all[i].size].join("\t"));
    }
    rest.push([target, hash, there ? date_of(target) : "", had, there ? files.GetFile(target).Size : ""].join("\t"));
    write(kept("patched.txt"), rest.join("\r\n") + "\r\n", UNICODE);
}

function is_current(entry, target, hashes) {
    if (!files.FileExists(target) || files.GetFile(target).Size != entry.size) return false;
    if (hashes) return hash_of(target) == entry.hash;
    var known = record_of(target);
    return known != null && known.hash == entry.hash && known.date == date_of(target);
}

function changed(all, folder, hashes) {
    var found = [];
    for (var i = 0; i < all.length; i++) if (!is_current(all[i], folder + "\\" + all[i].path, hashes)) found.push(all[i]);
    return found;
}

// ---- Fetching

function progress(text) {
    try { WScript.StdOut.Write("\r" + text + "   "); } catch (e) { /* Wine cannot. */ }
}

function check(request, status, entry) {
    if (request.status == 404) throw new Error("the server does not offer it any more. Start update.bat again");
    if (request.status != status) throw new Error("the server answered " + request.status);
    if (request.getResponseHeader("ETag") != '"' + entry.hash + '"') throw new Error("the server has another one now. Start update.bat again");
}

// Writes what arrives as bytes; null where that does not work.
function byte_writer() {
    var stream;
    try {
        stream = new ActiveXObject("ADODB.Stream");
        stream.Type = 1;
        stream.Open();
    } catch (e) { return null; }
    return {
        add: function (entry, first, last) {
            var request = get(address_of(entry), first, last);
            check(request, 206, entry);
            stream.Write(request.responseBody);
            if (stream.Size != last + 1) throw new Error("the transfer was cut off");
        },
        save: function (path) { stream.SaveToFile(path, 2); },
        close: function () { stream.Close(); }
    };
}

// The letters that Windows-1252 has for the bytes from 128 to 159.
var LETTERS = [8364, 129, 8218, 402, 8222, 8230, 8224, 8225, 710, 8240, 352, 8249, 338, 141, 381, 143,
    144, 8216, 8217, 8220, 8221, 8226, 8211, 8212, 732, 8482, 353, 8250, 339, 157, 382, 376];

// The same by way of digits and text, for Wine, whose scripts know no bytes.
function text_writer(path) {
    var file = files.CreateTextFile(path, true, false);
    return {
        add: function (entry, first, last) {
            var request = get(address_of(entry) + "?hex=" + first + "-" + last), text = [];
            check(request, 200, entry);
            var digits = request.responseText;
            if (digits.length != 2 * (last - first + 1)) throw new Error("the transfer was cut off");
            for (var i = 0; i < digits.length; i += 2) {
                var value = parseInt(digits.substr(i, 2), 16);
                text.push(String.fromCharCode(value >= 128 && value < 160 ? LETTERS[value - 128] : value));
            }
            file.Write(text.join(""));
        },
        save: function () { },
        close: function () { file.Close(); }
    };
}

function fetch(entry, path, what) {
    var writer = byte_writer() || text_writer(path);
    try {
        for (var first = 0; first < entry.size; first += PIECE) {
            progress(what + " " + Math.floor(100 * first / entry.size) + " %");
            writer.add(entry, first, Math.min(first + PIECE, entry.size) - 1);
        }
        writer.save(path);
    } finally { writer.close(); }
    progress(what + " 100 %");
}

// ---- Putting in place

// Folders that are links could lead elsewhere. Wine does not tell.
function is_link(folder) {
    try { return (files.GetFolder(folder).Attributes & 1024) != 0; } catch (e) { return false; }
}

function make_folders(folder, path) {
    var parts = path.split("\\");
    for (var i = 0; i < parts.length - 1; i++) {
        folder += "\\" + parts[i];
        if (!files.FolderExists(folder)) {
            remember("patched-folders.txt", folder);
            files.CreateFolder(folder);
        } else if (is_link(folder)) throw new Error(folder + " leads to another folder");
    }
}

function put_in_place(entry, folder, hashes, what) {
    var target = folder + "\\" + entry.path, fresh = target + NEW, before = target + BEFORE, known = record_of(target);
    var there = files.FileExists(target), had = known && known.had != "-" ? known.had : there ? "1" : "0";
    if ((!known || known.had == "-") && files.FileExists(before)) throw new Error(before + " is there already. Give that file another name");
    make_folders(folder, entry.path);
    try {
        fetch(entry, fresh, what);
        if (!files.FileExists(fresh) || files.GetFile(fresh).Size != entry.size) throw new Error("it did not arrive whole, or the disk is full. Look how much room there is");
        if (hashes && hash_of(fresh) != entry.hash) throw new Error("what arrived is not what the server listed");
        if (there && !known && same(fresh, target)) return note(target, entry.hash, "-");
        // First of all, so that undo.bat knows of it whatever happens.
        note(target, "", had);
        unlock(target);
        if (there && had == "1" && !files.FileExists(before)) {
            files.MoveFile(target, before);
            try { files.MoveFile(fresh, target); } catch (e) {
                files.MoveFile(before, target);
                throw e;
            }
        } else {
            remove(target);
            files.MoveFile(fresh, target);
        }
        note(target, entry.hash, had);
    } finally { remove(fresh); }
}

// ---- What update.bat starts

// Only an administrator may write there, see kit.js.
function begin() {
    if (run(HERE, "reg", "add " + KIT_KEY + " /f") != 0) return false;
    if (!files.FolderExists(KEEP)) files.CreateFolder(KEEP);
    return true;
}

function has_hashes() { return hash_of(WScript.ScriptFullName) != ""; }

function look() {
    if (!begin()) return NO_RIGHTS;
    var folder = find_game(), text = "", hashes = has_hashes();
    if (folder == "") {
        say_where_the_game_is();
        return NO_GAME;
    }
    say("  The game is in " + folder);
    try {
        var request = get("patch/manifest.txt?" + new Date().getTime());
        if (request.status == 200) text = request.responseText;
    } catch (e) { /* said below */ }
    if (text == "") {
        say("  The server does not answer at " + BASE + "  Try again later, or get a new kit.");
        return FAILED;
    }
    var all = entries(text);
    if (all == null) {
        say("  The list of the server cannot be read. Get a new kit from it.");
        return FAILED;
    }
    if (!hashes) say("  This Windows has no certutil for checksums: files are compared by size and date.");
    var found = changed(all, folder, hashes);
    if (found.length == 0) {
        say(all.length == 0 ? "  The server offers no files." : "  All " + all.length + " files are as the server has them.");
        return DONE;
    }
    write(kept(LIST), text, UNICODE);
    say("  These files would change:");
    for (var i = 0; i < found.length; i++) {
        var there = files.FileExists(folder + "\\" + found[i].path);
        say("    " + (there ? "replace " : "add     ") + found[i].path + ", " + Math.ceil(found[i].size / 1024) + " KB"
            + (is_program(found[i]) ? "   ** A PROGRAM: it can do anything to this PC **" : ""));
        if (found[i].note != "") say("            " + found[i].note);
    }
    say("  Your own files stay beside them, with " + BEFORE + " behind their names. undo.bat puts them back.");
    return CHANGES;
}

function update() {
    if (!/^\s*y/i.test(environment("MCOS_UPDATE"))) {
        say("  Nothing was changed.");
        return DONE;
    }
    if (!begin()) return NO_RIGHTS;
    // Exactly what was shown, whatever the server lists by now.
    var folder = find_game(), all = entries(read(kept(LIST), UNICODE)), hashes = has_hashes();
    if (folder == "" || all == null) return FAILED;
    var found = changed(all, folder, hashes);
    for (var i = 0; i < found.length && !problems; i++) {
        var what = "    " + (i + 1) + " of " + found.length + ": " + found[i].path;
        try {
            put_in_place(found[i], folder, hashes, what);
            say("\r" + what + ", done        ");
        } catch (e) {
            say("");
            fail("COULD NOT CHANGE " + found[i].path + ": " + (e.description || e.message || "error " + e.number) + ".");
            say("    It is as it was before. Mend that, close the game, and start update.bat again.");
        }
    }
    remove(kept(LIST));
    if (!problems) say("  Done. " + found.length + " files are now as the server has them.");
    return problems ? FAILED : DONE;
}

quit(function (what) {
    switch (what) {
        case "look": return look();
        case "update": return update();
        case "elevate-update": return elevate("update.bat");
        default: return READY;
    }
});
