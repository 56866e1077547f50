//! Figures for `scripts/bench`, which gathers those of several rounds: a line for each in the file that `MCOS_BENCH_FIGURES` names.
//! Without it nothing is written.

use std::env;
use std::fs::File;
use std::io::Write as _;

/// A figure of one round beside its baseline (0: there is none). `claim` is what is promised, such as `ratio >= 0.80` or `mcos <= 12`;
/// empty: nothing.
pub(crate) fn figure(what: &str, unit: &str, ours: f64, baseline: f64, claim: &str) {
    line(&["figure", what, unit, &ours.to_string(), &baseline.to_string(), claim]);
}

/// A point of a plot: how `what` grows with the number of `things`.
#[allow(dead_code, reason = "not every bench has something that grows")]
pub(crate) fn growth(what: &str, unit: &str, things: &str, number: f64, value: f64) {
    line(&["growth", what, unit, things, &number.to_string(), &value.to_string()]);
}

fn line(fields: &[&str]) {
    let Some(file) = env::var_os("MCOS_BENCH_FIGURES") else { return };
    let mut file = File::options().append(true).create(true).open(file).expect("the file for figures");
    writeln!(file, "{}", fields.join("\t")).expect("a line in the file for figures");
}
