//! Each act of the Operator on these pages leaves a line in the audit log.

use super::*;
use crate::admin::recordings::{RecordingSwitch, Running, Whom};
use crate::appliance::Manifest;
use crate::catalog::{file, sample};
use crate::services::deals;
use crate::store::{
    AdCategory, BackupPassword, ClubRules, Goods, NewAd, NewAuction, NewClub, NewPart, PartPurchase,
};
use mco_proto::ids::{BrandedPartId, PersonaId};
use std::collections::BTreeSet;
use std::path::Path;

/// Whatever is asked for is recorded.
struct Willing;

impl RecordingSwitch for Willing {
    fn start(&self, _: Whom, _: u64, _: Now) -> Result<(), String> {
        Ok(())
    }
    fn stop(&self) -> bool {
        true
    }
    fn running(&self) -> Option<Running> {
        None
    }
    fn ended(&self) -> Option<String> {
        None
    }
}

/// What changes nothing: pages, signing in and out, and files to keep.
const NO_ACTS: [&str; 28] = [
    "/operator/",
    "/operator/account",
    "/operator/account/",
    "/operator/accounts",
    "/operator/accounts/",
    "/operator/audit",
    "/operator/backup",
    "/operator/backup/download",
    "/operator/bans",
    "/operator/catalog",
    "/operator/export",
    "/operator/health",
    "/operator/history",
    "/operator/log",
    "/operator/login",
    "/operator/logout",
    "/operator/patch",
    "/operator/persona",
    "/operator/persona/",
    "/operator/players",
    "/operator/update",
    "/operator/welcome",
    "/operator/wire",
    "/operator/wire/download",
    // Tested on their own: the first one begins the walk, an import needs a whole database, a bundle passes by the forms, and only a box has
    // a Wi-Fi.
    "/operator/first",
    "/operator/catalog/import",
    "/operator/update/send",
    "/operator/wifi",
];

/// All paths of the pages that the sources name.
fn paths(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_source = path.extension().is_some_and(|end| end == "rs" || end == "html");
        if path.is_dir() && !path.ends_with("tests") {
            paths(&path, found);
        } else if is_source && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for begin in text.split("\"/operator/").skip(1) {
                let end = begin.find(['"', '?', '{']).unwrap();
                found.insert(format!("/operator/{}", &begin[..end]));
            }
        }
    }
}

/// The paths that the sources name and that are neither walked nor said to be no acts.
fn unwalked(walked: &BTreeSet<String>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    paths(&root.join("src/web/operator"), &mut named);
    paths(&root.join("templates/operator"), &mut named);
    assert!(named.len() > walked.len(), "{named:?}");
    named.into_iter().filter(|path| !walked.contains(path) && !NO_ACTS.contains(&path.as_str())).collect()
}

/// An ad and an auction of a driver, a club that it leads, and a part that it keeps.
fn property(scene: &Scene, doc: PersonaId) -> (u32, u32, Goods) {
    let now = Now::read();
    let part = || {
        let part = NewPart { branded_part: BrandedPartId(300_001), parent: None, attachment_point: 0 };
        let purchase = PartPurchase { price: 1, parts: vec![part] };
        let bought = scene.game.store.garage().buy_part(doc, &purchase, &|_| usize::MAX, now).unwrap();
        Goods::Part(bought.value)
    };
    let ad = NewAd { category: AdCategory::Wanted, text: "rude".to_owned(), days: 3, offer: None };
    let auction = NewAuction { goods: part(), start: 1, buy_now: None, hours: 5 };
    let (ad, auction) = deals::with(&scene.game, |deals| {
        let ad = deals.place_ad(doc, ad, now).unwrap().value;
        (ad, deals.open_auction(doc, auction, now).unwrap().value)
    });
    let rules = ClubRules {
        founding_cost: 0,
        founding_level: 1,
        officer_level: 1,
        most_members: 50,
        cooldown_days: 7,
        registration_cost: 1,
        re_registration_cost: 1,
    };
    let club = NewClub {
        name: "Night Riders".to_owned(),
        acronym: "NR".to_owned(),
        description: "We ride".to_owned(),
        colours: [0; 3],
    };
    let _ = scene.game.store.clubs().found(doc, &club, &rules, now).unwrap();
    (ad, auction, part())
}

#[test]
fn each_act_on_these_pages_leaves_a_line_in_the_audit_log() {
    let scene = Scene::new();
    let history = Arc::clone(&scene.history);
    let mut scene = Scene { site: OperatorSite::new(None, Arc::new(Willing), history), ..scene };
    scene.game.config.file = Some(scene.folder.path().join("mcos.toml"));
    let (game, data) = (&scene.game, scene.folder.path());
    let doc = game.player("doc", "Doc", HOME);
    let (ad, auction, part) = property(&scene, doc.persona);
    std::fs::create_dir_all(data.join("recordings/recording-000001")).unwrap();
    let mut operator = scene.operator();
    let mut seen = game.store.audit().count().unwrap();
    assert_eq!(seen, 1, "the first password");
    let customer = game.store.personas().by_id(doc.persona).unwrap().unwrap().customer_id;
    let start = (Now::read().unix / 86_400 + 1) * 86_400;
    let moment = |at| crate::clock::moment(at).replace(' ', "+");
    let (start, end) = (moment(start), moment(start + 7200));
    let plan = format!("do=plan&name=Friday&lobby=10001&start={start}&end={end}&most=8&by=points&season=0");
    let mut walked = BTreeSet::new();
    let waiting = BackupPassword::given("lorraine kept it").seal(&game.store.backup().unwrap()).unwrap();
    std::fs::write(data.join("restore.mcos.locked"), &waiting).unwrap();
    let forms = [
        ("/operator/message", "text=Hello"),
        ("/operator/mail", "title=Friday&text=Race+night"),
        ("/operator/persona/give", "name=Doc&dollars=250&reason=show"),
        ("/operator/persona/give-car", "name=Doc&model=104&reason=show"),
        ("/operator/persona/give-car", "name=Doc&model=101&reason=show"),
        ("/operator/persona/take-car", "name=Doc&reason=show&car={car}"),
        ("/operator/persona/rename", "name=Doc&new_name=Emmett"),
        ("/operator/events", plan.as_str()),
        ("/operator/events", &format!("do=prize&night=1&driver=Emmett&goods=p{}", part.number())),
        ("/operator/events", "do=cancel&night=1&why=storm"),
        ("/operator/events", "do=begin&name=Summer"),
        ("/operator/events", "do=end&season=1&sure=yes"),
        ("/operator/events", "do=close&acronym=NR&why=rude&sure=yes"),
        ("/operator/deals", &format!("do=ad&number={ad}&why=rude")),
        ("/operator/deals", &format!("do=auction&number={auction}&why=rude")),
        ("/operator/pages", "number=5&page=/boards"),
        ("/operator/settings", "do=change&section=game&starter_cash=5"),
        ("/operator/settings", "do=undo"),
        ("/operator/wire/answer", "number=161&answer=success"),
        ("/operator/wire/clear", ""),
        ("/operator/wire/start", "minutes=5"),
        ("/operator/wire/stop", ""),
        ("/operator/wire/remove", "name=recording-000001"),
        ("/operator/kick", &format!("customer={customer}")),
        ("/operator/ban", "address=10.0.0.7&reason=x&length=for+ever"),
        ("/operator/unban", "address=10.0.0.7"),
        ("/operator/accounts/add", "name=marty&password=Roadster-57"),
        ("/operator/accounts/disable", "name=marty"),
        ("/operator/accounts/enable", "name=marty"),
        ("/operator/accounts/password", "name=marty&password=Roadster-58"),
        ("/operator/account/rename", "name=marty&new_name=calvin"),
        ("/operator/account/remove", "name=calvin&sure=yes"),
        ("/operator/persona/remove", "name=Emmett&sure=yes"),
        ("/operator/patch/add", "FILE"),
        ("/operator/patch/remove", "path=b.mcos"),
        ("/operator/catalog/use", "CATALOG"),
        ("/operator/catalog/discard", "CATALOG"),
        ("/operator/backup/password", "password=lorraine+kept+it&again=lorraine+kept+it"),
        ("/operator/backup/no-password", ""),
        ("/operator/backup/open", "password=lorraine+kept+it"),
        ("/operator/backup/discard", "WAITING"),
        ("/operator/backup/restore", "FILE"),
        ("/operator/backup/restart", ""),
        ("/operator/password", "old=cold+start+57&password=warm+start+58&again=warm+start+58"),
    ];
    for (path, fields) in forms {
        walked.insert(path.to_owned());
        let reply = match fields {
            "FILE" => {
                let file = if path.ends_with("add") { b"abc".to_vec() } else { game.store.backup().unwrap() };
                let mut body = upload(&token(&operator.look("/operator/backup")), &file);
                let field = "--XX\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\nb.mcos\r\n";
                body.splice(..0, field.bytes());
                operator.send_file(path, "multipart/form-data; boundary=XX", &body)
            }
            "CATALOG" => {
                file::save_waiting(&game.data, &sample::catalogue()).unwrap();
                let page = operator.look("/operator/catalog");
                let (_, hash) = page.split_once("name=\"catalog\" value=\"").unwrap();
                let hash = hash.split_once('"').unwrap().0.to_owned();
                operator.fill_in("/operator/catalog", path, &format!("catalog={hash}"))
            }
            "WAITING" => {
                std::fs::write(data.join("restore.mcos.locked"), &waiting).unwrap();
                operator.fill_in("/operator/backup", path, "sure=yes")
            }
            fields => {
                let car =
                    game.store.garage().vehicles(doc.persona).unwrap().first().map_or(0, |car| car.id.0);
                operator.fill_in("/operator", path, &fields.replace("{car}", &car.to_string()))
            }
        };
        let noted = game.store.audit().count().unwrap();
        let page = if reply.location.is_some() { operator.send("/operator", None) } else { reply };
        assert_eq!(noted, seen + 1, "{path} {fields}: {}", text(&page));
        seen = noted;
    }
    // So that a form that comes later is walked as well.
    assert_eq!(unwalked(&walked), Vec::<String>::new());
}

#[test]
fn an_update_file_that_is_taken_leaves_a_line_in_the_audit_log_and_a_refused_one_none() {
    let scene = Scene::new();
    scene.site.after_bundle(&scene.game, "", Err("damaged"), Now::read());
    assert_eq!(scene.game.store.audit().count().unwrap(), 0);
    let manifest = Manifest {
        version: "9.9.9".to_owned(),
        board: "rpi".to_owned(),
        size: 512,
        sha256: [0; 32],
        boot_offset: 0,
        boot_size: 512,
    };
    scene.site.after_bundle(&scene.game, "", Ok::<_, String>(manifest), Now::read());
    assert_eq!(scene.game.store.audit().newest(0, 2).unwrap()[0].what, "update file of mcos 9.9.9");
}
