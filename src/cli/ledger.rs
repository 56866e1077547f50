//! `mcos ledger`: checks that every balance follows from the recorded changes.

use super::output;
use super::{CliError, Setting, reach};
use crate::admin::requests::{Request, Response};
use crate::store::LedgerReport;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Recalculate all balances and report differences
    Check,
}

pub(super) fn run(setting: &Setting, command: &Command) -> Result<(), CliError> {
    let Command::Check = command;
    match reach::perform(setting, Request::CheckLedger)? {
        Response::Ledger(report) => show(&report),
        other => Err(reach::unexpected(&other)),
    }
}

fn show(report: &LedgerReport) -> Result<(), CliError> {
    let LedgerReport { personas, lines, money, held, differences } = report;
    for difference in differences {
        output::line(&format!("persona {}: {}", difference.persona, difference.problem))?;
    }
    if differences.is_empty() {
        let (personas, lines) = (output::count(*personas, "persona"), output::count(*lines, "line"));
        let held =
            if *held == 0 { String::new() } else { format!(", and {held} held for bids and race nights") };
        return output::line(&format!("the ledger is right: {personas}, {lines}, {money} dollars{held}"));
    }
    Err(CliError::Failed(format!(
        "the ledger and the balances differ in {} places; keep a copy of the data folder, and restore an earlier backup \
         if players have lost money",
        differences.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Difference, Problem};
    use mco_proto::ids::PersonaId;

    #[test]
    fn a_difference_is_a_failure_and_none_is_not() {
        let mut report = LedgerReport { personas: 1, lines: 2, money: 3, held: 4, differences: Vec::new() };
        assert_eq!(show(&report), Ok(()));
        let problem = Problem::Balance { derived: 4, balance: 3 };
        report.differences.push(Difference { persona: PersonaId(1000), problem });
        assert!(matches!(show(&report), Err(CliError::Failed(why)) if why.contains("1 places")));
    }
}
