//! Players, results and ledgers as files for the Operator's spreadsheet or program: CSV or JSON. Long ones come in parts of bounded size.

use super::pages;
use super::request::{OperatorRequest, OperatorResponse};
use crate::admin::ledger_words::in_words;
use crate::admin::lists;
use crate::clock::moment;
use crate::services::Game;
use crate::store::StoreError;
use crate::web::fields::Fields;
use crate::web::layout::Section;
use crate::web::words::{car, class, kind, milliseconds, track};
use serde::Serialize;
use std::ops::Range;

/// Where the files are.
pub(super) const PATH: &str = "/operator/export";
/// How many races, and the ledgers of how many drivers, are in one part.
const RACES: u32 = 10_000;
const DRIVERS: usize = 100;

/// What there is, and how it is written.
const TABLES: [&str; 3] = ["players", "results", "ledger"];
const FORMATS: [&str; 2] = ["csv", "json"];

#[derive(Serialize)]
struct PlayerRow {
    number: u32,
    name: String,
    account: String,
    level: u32,
    points: u32,
    races: u32,
    won: u32,
    dollars: u32,
    /// As all moments here: `2026-01-31 23:59:59` in UTC.
    created: String,
    last_login: String,
}

#[derive(Serialize)]
struct ResultRow {
    race: u32,
    settled: String,
    track: String,
    kind: &'static str,
    laps: u8,
    entry_fee: u32,
    place: Option<u8>,
    racer: String,
    time_ms: u64,
    best_lap_ms: u64,
    car: String,
    class: &'static str,
    damage_percent: Option<u8>,
    points: u32,
    prize: u32,
}

#[derive(Serialize)]
struct LedgerRow {
    number: u32,
    name: String,
    line: u32,
    at: String,
    what: String,
    reference: u32,
    amount: i64,
    balance: u32,
}

/// Links to all files, in lines: one for each table.
pub(super) fn links(game: &Game) -> Result<Section, StoreError> {
    let results = game.store.results().numbers()?;
    let parts =
        [1, parts_of(results.len(), RACES as usize), parts_of(game.store.personas().count()?, DRIVERS)];
    let line = |(table, parts): (&str, usize)| {
        let files = (1..=parts).flat_map(|part| FORMATS.map(|format| (part, format)));
        files
            .map(|(part, format)| {
                let said = if parts == 1 { String::new() } else { format!(" {part}") };
                let link = format!("{PATH}?table={table}&format={format}&part={part}");
                (format!("{table}{said}, {}", format.to_uppercase()), link, false)
            })
            .collect()
    };
    let choices = TABLES.into_iter().zip(parts).map(line).collect();
    Ok(Section { heading: "Files".to_owned(), choices, ..Section::default() })
}

fn parts_of(all: usize, each: usize) -> usize {
    all.div_ceil(each).max(1)
}

/// The file that is asked for; an answer in words if there is none.
pub(super) fn file(game: &Game, request: &OperatorRequest<'_>) -> OperatorResponse {
    let query = Fields::urlencoded(request.query.as_bytes());
    let chosen =
        |known: &[&'static str], field| known.iter().copied().find(|known| *known == query.text(field));
    let part = query.text("part").parse::<usize>().ok().filter(|part| (1..=1_000_000).contains(part));
    let (Some(table), Some(format), Some(part)) =
        (chosen(&TABLES, "table"), chosen(&FORMATS, "format"), part)
    else {
        return OperatorResponse::plain(404, "There is no such file. The page Players has links to all.");
    };
    let written = match table {
        "players" => players(game, part).map(|rows| write(format, &rows)),
        "results" => results(game, part).map(|rows| write(format, &rows)),
        _ => ledger(game, part).map(|rows| write(format, &rows)),
    };
    match written {
        Ok(Ok(bytes)) => {
            log::info!("operator: {table}, part {part}, is downloaded as {format}");
            let day = crate::clock::day(request.now.unix);
            OperatorResponse::file(format!("mcos-{table}-{part}-{day}.{format}"), bytes)
        }
        Ok(Err(error)) => OperatorResponse::plain(500, &pages::sentence(&error)),
        Err(error) => OperatorResponse::plain(500, &pages::sentence(&error)),
    }
}

fn write<T: Serialize>(format: &str, rows: &[T]) -> Result<Vec<u8>, String> {
    if format == "json" {
        return serde_json::to_vec(rows).map_err(|error| error.to_string());
    }
    // In quotes a text stays in one cell also where the cells are thought to end at a semicolon.
    let mut writer =
        csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row)).map_err(|error| error.to_string())?;
    writer.into_inner().map_err(|error| error.to_string())
}

/// A text that players chose. A spreadsheet takes one that begins so for a formula.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

fn players(game: &Game, part: usize) -> Result<Vec<PlayerRow>, StoreError> {
    if part > 1 {
        return Ok(Vec::new());
    }
    let accounts = lists::personas(&game.store)?;
    let rows = game.store.personas().list()?.into_iter().map(|persona| {
        let account = accounts.binary_search_by_key(&persona.id, |entry| entry.persona_id).ok();
        let account = account.and_then(|at| accounts.get(at)).map(|entry| entry.account.as_str());
        PlayerRow {
            number: persona.id.0,
            name: text(&persona.name),
            account: text(account.unwrap_or_default()),
            level: persona.level,
            points: persona.points,
            races: persona.races_entered,
            won: persona.races_won,
            dollars: persona.bank_balance,
            created: moment(persona.created.into()),
            last_login: if persona.last_login == 0 {
                String::new()
            } else {
                moment(persona.last_login.into())
            },
        }
    });
    Ok(rows.collect())
}

/// The numbers of a part: the first part has the newest.
fn part_of(numbers: Range<u32>, part: usize) -> Range<u32> {
    let skipped = u32::try_from(part - 1).unwrap_or(u32::MAX).saturating_mul(RACES);
    let end = numbers.end.saturating_sub(skipped).max(numbers.start);
    end.saturating_sub(RACES).max(numbers.start)..end
}

fn results(game: &Game, part: usize) -> Result<Vec<ResultRow>, StoreError> {
    let (results, catalog) = (game.store.results(), &game.catalog);
    let mut rows = Vec::new();
    for number in part_of(results.numbers()?, part).rev() {
        let Some(result) = results.get(number)? else { continue };
        rows.extend(result.racers.iter().map(|racer| ResultRow {
            race: result.race.0,
            settled: moment(result.at.into()),
            track: track(catalog, result.lobby),
            kind: kind(result.race_type),
            laps: result.terms.laps,
            entry_fee: result.terms.entry_fee,
            place: racer.place,
            racer: text(&racer.name),
            time_ms: milliseconds(racer.time),
            best_lap_ms: milliseconds(racer.best_lap),
            car: car(catalog, racer.model),
            class: class(racer.class),
            damage_percent: racer.damage,
            points: racer.points,
            prize: racer.cash,
        }));
    }
    Ok(rows)
}

fn ledger(game: &Game, part: usize) -> Result<Vec<LedgerRow>, StoreError> {
    let personas = game.store.personas().list()?;
    let mut rows = Vec::new();
    for persona in personas.iter().skip((part - 1).saturating_mul(DRIVERS)).take(DRIVERS) {
        let lines = game.store.ledger().of(persona.id)?;
        rows.extend(lines.into_iter().map(|(number, line)| LedgerRow {
            number: persona.id.0,
            name: text(&persona.name),
            line: number,
            at: moment(line.time.into()),
            what: in_words(&line),
            reference: line.reference,
            amount: line.amount,
            balance: line.balance,
        }));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_numbers_once_and_a_formula_is_a_text() {
        let all = 5..25_007_u32;
        let mut seen: Vec<u32> = (1..=4).flat_map(|part| part_of(all.clone(), part).rev()).collect();
        assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&25_006), Some(&5), 25_002));
        seen.dedup();
        assert_eq!(seen.len(), 25_002);
        assert!(part_of(all, 1_000_000).is_empty() && part_of(1..1, 1).is_empty());
        assert_eq!(["=1+1", "Bob", "-x"].map(text), ["'=1+1", "Bob", "'-x"]);
    }
}
