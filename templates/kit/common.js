var DONE = 0, FAILED = 1, NO_RIGHTS = 2, INCOMPLETE = 3, NO_GAME = 4, CHANGES = 5, READY = 64;
var READ = 1, UNICODE = -1, ANSI = 0, READ_ONLY = 1;

var shell = new ActiveXObject("WScript.Shell");
var files = new ActiveXObject("Scripting.FileSystemObject");
var problems = 0;

var HERE = files.GetParentFolderName(WScript.ScriptFullName);
var SYSTEM = files.GetSpecialFolder(1).Path;
var KEEP = files.GetSpecialFolder(0).Path + "\\mcos-kit";
var KIT_KEY = "HKLM\\SOFTWARE\\mcos-kit";
var IS_32_BIT = environment("PROCESSOR_ARCHITECTURE") == "x86" && !environment("PROCESSOR_ARCHITEW6432");
// The half of the registry that the game, a 32-bit program, looks into.
var HALF = IS_32_BIT ? "HKLM\\SOFTWARE" : "HKLM\\SOFTWARE\\WOW6432Node";

function say(text) { WScript.Echo(text); }
function fail(text) { problems++; say("    " + text); }
function environment(name) { return shell.Environment("PROCESS")(name); }

// Runs a program of Windows in a folder, and waits for it. Only texts that nobody chose may come here.
function run(folder, program, parameters) {
    shell.CurrentDirectory = folder;
    var result = shell.Run('"' + SYSTEM + "\\" + program + '.exe" ' + parameters, 0, true);
    // A folder that is somebody's current one cannot be deleted.
    shell.CurrentDirectory = HERE;
    return result;
}

// Starts one of the .bat files again with the rights of an administrator, for which Windows asks from Vista on.
function elevate(name) {
    var windows = parseFloat(registry_text("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "CurrentVersion"));
    if (!(windows >= 6)) return FAILED;
    try { new ActiveXObject("Shell.Application").ShellExecute(files.BuildPath(HERE, name), "/again", HERE, "runas", 1); } catch (e) { return FAILED; }
    return DONE;
}

// ---- Files

function kept(name) { return KEEP + "\\" + name; }

function read(path, format) {
    if (!files.FileExists(path) || files.GetFile(path).Size == 0) return "";
    var file = files.OpenTextFile(path, READ, false, format);
    try { return file.ReadAll(); } finally { file.Close(); }
}

function write(path, text, format) {
    var file = files.CreateTextFile(path, true, format == UNICODE);
    try { file.Write(text); } finally { file.Close(); }
}

function remove(path) { if (files.FileExists(path)) files.DeleteFile(path, true); }

// Takes the mark "read-only" from a file, if it is there.
function unlock(path) {
    if (!files.FileExists(path)) return;
    var file = files.GetFile(path);
    if (file.Attributes & READ_ONLY) file.Attributes = file.Attributes & ~READ_ONLY & 39;
}

// Replaces a file even if it is marked as read-only.
function put(from, to) {
    unlock(to);
    files.CopyFile(from, to, true);
}

// Wine's scripts cannot sleep; there, the start of a program takes its time.
function wait() {
    try { WScript.Sleep(250); } catch (e) { run(HERE, "cmd", "/c exit"); }
}

// A virus scanner may still look at what was just written.
function remove_folder(path) {
    for (var i = 0; i < 20 && files.FolderExists(path); i++) {
        if (i > 0) wait();
        try { files.DeleteFolder(path, true); } catch (e) { if (i == 19) fail("COULD NOT DELETE " + path); }
    }
}

function same(one, other) {
    return files.FileExists(one) && files.FileExists(other) && read(one, ANSI) == read(other, ANSI);
}

function lines(name) {
    var all = read(kept(name), UNICODE).split("\r\n"), found = [];
    for (var i = 0; i < all.length; i++) if (all[i] != "") found.push(all[i]);
    return found;
}

function position(list, text) {
    for (var i = 0; i < list.length; i++) if (list[i].toLowerCase() == text.toLowerCase()) return i;
    return -1;
}

// Adds a line to a list, if it is not there yet, and tells its place, from 1.
function remember(name, text) {
    var list = lines(name), at = position(list, text);
    if (at >= 0) return at + 1;
    list.push(text);
    write(kept(name), list.join("\r\n") + "\r\n", UNICODE);
    return list.length;
}

// ---- The game's folder

function registry_text(key, name) {
    try { return String(shell.RegRead(key + "\\" + name)); } catch (e) { return ""; }
}

// The folder that a text means, if the game is there.
function game_in(text) {
    var folder = text.replace(/"/g, "").replace(/^\s+|[\s;]+$/g, "");
    if (/\.exe$/i.test(folder)) folder = files.GetParentFolderName(folder);
    if (folder.length > 3) folder = folder.replace(/\\+$/, "");
    if (folder == "") return "";
    var there = files.FileExists(files.BuildPath(folder, "MCity.exe"))
        || files.FileExists(files.BuildPath(folder, "MCity_d.exe"));
    return there ? files.GetAbsolutePathName(folder) : "";
}

function find_game() {
    var typed = environment("MCOS_FOLDER");
    if (typed != "") return game_in(typed);
    var game = "\\Electronic Arts\\Motor City\\1.0", path = "\\Microsoft\\Windows\\CurrentVersion\\App Paths\\mcity.exe";
    var usual = "\\EA Games\\Motor City Online", before = lines("folders.txt");
    var places = [
        registry_text(HALF + game, "InstallDir"),
        registry_text(HALF + game, "Path"),
        registry_text("HKLM\\SOFTWARE" + game, "InstallDir"),
        registry_text("HKLM\\SOFTWARE" + path, "Path"),
        registry_text("HKLM\\SOFTWARE" + path, ""),
        registry_text(HALF + path, "Path"),
        registry_text(HALF + path, ""),
        before.length > 0 ? before[before.length - 1] : "",
        environment("ProgramFiles(x86)") + usual,
        environment("ProgramFiles") + usual
    ];
    for (var i = 0; i < places.length; i++) {
        var folder = game_in(places[i]);
        if (folder != "") return folder;
    }
    return "";
}

// What a person is told when there is no game, or a folder was typed wrongly.
function say_where_the_game_is() {
    if (environment("MCOS_FOLDER") != "") say("    There is no MCity.exe in that folder. Please type it again.");
    else say("    The game is not in the folder that its setup program noted, nor in the usual one.\r\n"
        + "    Type the folder with MCity.exe, for example C:\\Games\\Motor City Online");
}

// Ends the script with what "main" returns.
function quit(main) {
    var code;
    try {
        code = main(WScript.Arguments.length > 0 ? WScript.Arguments(0) : "");
    } catch (e) {
        say("    This went wrong: " + (e.description || e.message || e.number));
        code = FAILED;
    }
    WScript.Quit(code);
}

// ---- Files of the patch set in the game's folder: patched.txt has a line for each, with its path, the SHA-256 and the date of
// what update.js wrote, whether the player had a file there (1, 0, or - if that was the same), and the size of what it wrote.

var BEFORE = ".before-mcos";

function patched() {
    var all = lines("patched.txt"), found = [];
    for (var i = 0; i < all.length; i++) {
        var part = all[i].split("\t");
        found.push({ target: part[0], hash: part[1], date: part[2], had: part[3], size: part[4] || "" });
    }
    return found;
}

// The SHA-256 of a file; empty where Windows has no certutil that tells it.
function hash_of(path) {
    if (!files.FileExists(SYSTEM + "\\certutil.exe")) return "";
    put(path, kept("hash.bin"));
    run(KEEP, "cmd", "/c certutil -hashfile hash.bin SHA256 >hash.txt");
    var all = read(kept("hash.txt"), ANSI).split(/[\r\n]+/), found = "";
    remove(kept("hash.bin"));
    remove(kept("hash.txt"));
    for (var i = 0; i < all.length; i++) {
        var text = all[i].replace(/ /g, "").toLowerCase();
        if (/^[0-9a-f]{64}$/.test(text)) found = text;
    }
    return found;
}

// Wine does not tell it.
function date_of(path) {
    try { return String(new Date(files.GetFile(path).DateLastModified).getTime()); } catch (e) { return "unknown"; }
}
