//! What a probe prints: a line for each step as it is taken, or one JSON document at the end.

use super::super::Error;
use super::{Verdict, advice};
use serde::Serialize;
use std::future::Future;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    Failed,
    Skipped,
}

#[derive(Debug, Serialize)]
struct Step {
    #[serde(rename = "step")]
    name: &'static str,
    verdict: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    host: &'a str,
    passed: bool,
    milliseconds: f64,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
}

/// Collects the steps and prints them.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    json: bool,
    host: String,
    begun: Instant,
    steps: Vec<Step>,
    note: Option<&'static str>,
    warning: Option<String>,
}

/// Milliseconds with three decimals, as far as they mean anything.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write, json: bool, host: &str) -> io::Result<Self> {
        if !json {
            writeln!(out, "probing {host}")?;
            out.flush()?;
        }
        Ok(Self {
            out,
            json,
            host: host.to_owned(),
            begun: Instant::now(),
            steps: Vec::new(),
            note: None,
            warning: None,
        })
    }

    /// Takes a step; `say` describes what came of it. `None` if it failed.
    pub(super) async fn step<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = Result<T, Error>>,
        say: impl FnOnce(&T) -> String,
    ) -> io::Result<Option<T>> {
        let begun = Instant::now();
        let result = work.await;
        let milliseconds = Some(milliseconds(begun.elapsed()));
        let (verdict, detail, advice) = match &result {
            Ok(value) => (Outcome::Ok, say(value), None),
            Err(error) => (Outcome::Failed, error.to_string(), Some(advice::about(error))),
        };
        self.add(Step { name: step, verdict, milliseconds, detail, advice })?;
        Ok(result.ok())
    }

    /// A step that fails for a reason of its own.
    pub(super) fn fail(&mut self, step: &'static str, detail: &str, advice: String) -> io::Result<()> {
        let detail = detail.to_owned();
        self.add(Step {
            name: step,
            verdict: Outcome::Failed,
            milliseconds: None,
            detail,
            advice: Some(advice),
        })
    }

    /// Notes those of `steps` that were not reached.
    pub(super) fn skip_rest(&mut self, steps: &[&'static str]) -> io::Result<()> {
        for step in steps {
            if !self.steps.iter().any(|taken| taken.name == *step) {
                let detail = "not tried: it needs a step that failed".to_owned();
                self.add(Step {
                    name: step,
                    verdict: Outcome::Skipped,
                    milliseconds: None,
                    detail,
                    advice: None,
                })?;
            }
        }
        Ok(())
    }

    /// A remark at the end.
    pub(super) const fn note(&mut self, note: &'static str) {
        self.note = Some(note);
    }

    /// Something that keeps players out though every step passes.
    pub(super) fn warn(&mut self, warning: String) {
        self.warning = Some(warning);
    }

    fn add(&mut self, step: Step) -> io::Result<()> {
        if !self.json {
            let verdict = match step.verdict {
                Outcome::Ok => "ok",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "skipped",
            };
            let time = step.milliseconds.map_or_else(String::new, |time| format!("{time:.1} ms"));
            writeln!(self.out, "  {verdict:<7} {time:>11}  {:<22} {}", step.name, step.detail)?;
            if let Some(advice) = &step.advice {
                writeln!(self.out, "  {:<7} {:>11}  {:<22} -> {advice}", "", "", "")?;
            }
            self.out.flush()?;
        }
        self.steps.push(step);
        Ok(())
    }

    /// Says how it went all in all.
    pub(super) fn close(self) -> io::Result<Verdict> {
        let bad = self.steps.iter().filter(|step| step.verdict != Outcome::Ok).count();
        let passed = bad == 0 && !self.steps.is_empty();
        let time = milliseconds(self.begun.elapsed());
        if self.json {
            let document = Document {
                host: &self.host,
                passed,
                milliseconds: time,
                steps: &self.steps,
                note: self.note,
                warning: self.warning.as_deref(),
            };
            serde_json::to_writer_pretty(&mut *self.out, &document)?;
            writeln!(self.out)?;
        } else {
            if let Some(note) = self.note {
                writeln!(self.out, "{note}")?;
            }
            if let Some(warning) = &self.warning {
                writeln!(self.out, "warning: {warning}")?;
            }
            let all = self.steps.len();
            if passed {
                writeln!(self.out, "all {all} steps passed in {time:.0} ms")?;
            } else {
                writeln!(self.out, "{} of {all} steps passed, {bad} failed or were skipped", all - bad)?;
            }
        }
        self.out.flush()?;
        Ok(if passed { Verdict::Passed } else { Verdict::Failed })
    }
}
